/**
 * One connection to the HTTP port. Its bytes go on to the server, which parses them, and the
 * server's bytes back; neither way gathers more than a buffer. What the server does not do is done
 * here: a connection on which no request is under way has its time, and the head of a request its
 * size. A handler may take the connection over, for a WebSocket.
 *
 * @module
 */
import type { Clock } from "../../../runtime/clock.ts";
import { type Arrival, type ClientCertificate, hostOf } from "../../mqtt/endpoint/arrival.ts";
import type { Connection } from "../../mqtt/endpoint/link.ts";
import { type BufferBudget, ReadBuffer } from "../../mqtt/endpoint/read_buffer.ts";
import { farewell } from "./farewell.ts";
import { TakenConnection } from "./taken_connection.ts";

/** Why a connection was ended from here, as its counter names it. */
export const visitEnds = [
  "silent",
  "slow_head",
  "large_head",
  "idle",
  "unread",
  "crowded",
  "http2",
] as const;
export type VisitEnd = typeof visitEnds[number];

export interface VisitOptions {
  readonly clock: Clock;
  /** For read buffers that have grown. */
  readonly budget: BufferBudget;
  /** How long the head of a request may take to come. */
  readonly headTimeoutMs: number;
  /** How long a connection may be there without a request, and without taking what it is sent. */
  readonly idleTimeoutMs: number;
  /** Opens a connection to the server. */
  readonly dial: () => Promise<ServerConnection>;
  /** The connection to the server has this port on our side, and has it no more. */
  readonly dialed: (port: number) => void;
  readonly left: (port: number) => void;
  /** The connection ends for a reason of ours. */
  readonly ending: (why: VisitEnd) => void;
  readonly ended: () => void;
}

type Visitor = Pick<
  Arrival,
  "connection" | "peer" | "secure" | "certificate" | "connectedMs" | "left"
>;

/** What is needed of a `Deno.TcpConn` to the server. */
export type ServerConnection = Connection & {
  readonly localAddr: { readonly port: number };
};

/** Bytes of a head that are passed on while the server has not seen its end. */
export const headBytesMax = 32 * 1024;
/** How long the server may take to see the end of what is as long as that. */
const largeHeadMs = 1_000;
/** How long a client may take to close after the server has. */
const lingerMs = 2_000;

const blankLine = "\r\n\r\n";
/** How HTTP/2 begins without TLS. The server would take it, and its streams have no limits here. */
const http2 = "PRI";

/** See the module. */
export class Visit {
  /** IP address of the other end. */
  readonly peer: string;
  /** Whether it came over TLS. */
  readonly secure: boolean;
  /** What it showed of itself, where that was asked for. */
  readonly certificate: ClientCertificate | undefined;
  /** Whether it was let in at the door when it connected. */
  readonly entered: boolean;
  readonly #client: Connection;
  readonly #options: VisitOptions;
  readonly #up: ReadBuffer;
  readonly #down: ReadBuffer;
  #server: ServerConnection | undefined;
  /** The client sends no more. */
  #clientDone = false;
  #requests = 0;
  /** The answer that is under way is the last. */
  #closing = false;
  /** Passed on while no request is under way. */
  #headBytes = 0;
  /** The first bytes of the connection, and the last that were passed on. */
  #first = "";
  #last = "";
  #deadlineMs: number;
  #writingSinceMs: number | undefined;
  #requestBegan: PromiseWithResolvers<void> | undefined;
  readonly #passedOn = Promise.withResolvers<void>();
  /** A read of the client that waits, and where it reads to. */
  #read:
    | { readonly into: Uint8Array<ArrayBuffer>; readonly count: Promise<number | null> }
    | undefined;
  #state: "open" | "served" | "taken" | "closed" = "open";

  constructor(visitor: Visitor, options: VisitOptions) {
    const { connection, peer, secure, certificate, connectedMs, left } = visitor;
    this.peer = hostOf(peer);
    this.secure = secure ?? false;
    this.certificate = certificate;
    this.entered = left !== undefined;
    connection.setNoDelay?.(true);
    this.#client = connection;
    this.#options = options;
    this.#up = new ReadBuffer(options.budget);
    this.#down = new ReadBuffer(options.budget);
    this.#deadlineMs = (connectedMs ?? this.#now()) + options.headTimeoutMs;
  }

  /** No request is under way. */
  get idle(): boolean {
    return this.#requests === 0 && this.#state !== "taken";
  }

  /** The server has closed, and all it said has gone on to the client; or nothing more will. */
  get passedOn(): Promise<void> {
    if (this.#server === undefined) this.end();
    return this.#passedOn.promise;
  }

  /** Carries bytes both ways. */
  start(): void {
    this.#carryUp().catch(() => this.end());
  }

  /** The server has seen the head of a request. */
  began(): void {
    this.#requests++;
    this.#headBytes = 0;
    this.#deadlineMs = Infinity;
    this.#requestBegan?.resolve();
  }

  /** The answer is the last: nobody reads the body, so nobody knows where the next head begins. */
  lastAnswer(): void {
    this.#closing = true;
  }

  /** The answer to a request is complete, or cannot be any more. */
  completed(): void {
    if (--this.#requests > 0 || this.#state !== "open") return;
    this.#headBytes = 0;
    if (!this.#closing) return this.#beIdle();
    this.#deadlineMs = this.#now() + lingerMs;
    this.#server?.closeWrite().catch(() => {}); // It would wait for the body.
  }

  /**
   * The client's connection, for whoever answers the request that is under way: from now on the
   * server has no part in it. `undefined` when the client has not waited for that answer.
   */
  takeOver(): Connection | undefined {
    if (this.#state !== "open" || this.#requests !== 1 || this.#last !== blankLine) {
      return undefined;
    }
    this.#state = "taken";
    this.#leaveServer();
    this.#releaseBuffers();
    return new TakenConnection(this.#client, this.#read, () => this.#gone());
  }

  /** What comes now is what is left of a body that nobody reads. */
  get #forgets(): boolean {
    return this.#closing && this.#requests === 0;
  }

  get #isOver(): boolean {
    return this.#state === "taken" || this.#state === "closed";
  }

  /** To be called now and then. */
  sweep(nowMs: number): void {
    if (this.#state === "taken") return;
    const sinceMs = this.#writingSinceMs ?? nowMs;
    if (nowMs - sinceMs >= this.#options.idleTimeoutMs) this.end("unread");
    else if (nowMs >= this.#deadlineMs) this.end(this.#lateness());
  }

  /** Ends the connection, at once or with a last word, unless it was taken over. */
  end(why?: VisitEnd): void {
    if (this.#isOver) return;
    if (why !== undefined) this.#options.ending(why);
    const last = why && farewell(why);
    if (last === undefined) this.#gone();
    else this.#takeLeave(last);
  }

  #lateness(): VisitEnd | undefined {
    if (this.#state === "served" || this.#closing) return undefined;
    if (this.#headBytes >= headBytesMax) return "large_head";
    if (this.#headBytes > 0) return "slow_head";
    return this.#first === "" ? "silent" : "idle";
  }

  async #carryUp(): Promise<void> {
    const buffer = this.#up;
    for (;;) {
      const into = buffer.room(0)!; // Without bytes that are missing there always is.
      this.#read = { into, count: this.#client.read(into) };
      const count = await this.#read.count;
      if (this.#state === "taken") return;
      this.#read = undefined;
      if (count === null) {
        this.#clientDone = true;
        if (this.#server === undefined || this.#state !== "open") return this.end();
        if (this.#forgets) return;
        return await this.#server.closeWrite();
      }
      buffer.filled(count, false);
      const bytes = into.subarray(0, count);
      if (this.#state === "open" && !this.#forgets) {
        if (this.#heard(bytes) === "http2") this.end("http2");
        else await this.#passOn(bytes);
      }
      buffer.start = buffer.end;
      if (this.#isOver) return;
    }
  }

  async #passOn(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const server = this.#server ??= await this.#dial();
    // A server that takes no more has still something to say, and then it closes.
    await writeAll(server, bytes).catch(() => {});
    await this.#headTaken();
  }

  async #dial(): Promise<ServerConnection> {
    const { dial, dialed } = this.#options;
    const server = await dial();
    if (this.#state !== "open") {
      server.close();
      throw new Error("the connection has ended meanwhile");
    }
    this.#server = server;
    dialed(server.localAddr.port);
    this.#carryDown(server).catch(() => {
      if (this.#state === "open") this.end();
    });
    return server;
  }

  async #carryDown(server: ServerConnection): Promise<void> {
    const buffer = this.#down;
    for (;;) {
      const into = buffer.room(0)!;
      // One that has closed without reading all is done too.
      const count = await server.read(into).catch(() => null);
      if (this.#state !== "open") return;
      if (count === null) break;
      buffer.filled(count, false);
      this.#writingSinceMs = this.#now();
      await writeAll(this.#client, into.subarray(0, count));
      this.#writingSinceMs = undefined;
      // An answer that is complete may still be on its way.
      if (this.#requests === 0 && this.#headBytes === 0) this.#beIdle();
      buffer.start = buffer.end;
    }
    if (this.#clientDone) return this.end();
    this.#passedOn.resolve();
    await this.#leave();
  }

  async #takeLeave(last: Uint8Array<ArrayBuffer>): Promise<void> {
    const left = this.#leave(last);
    this.#leaveServer();
    await left.catch(() => this.#gone());
  }

  /** What the client still sends is read and forgotten: unread, it would take back the answer. */
  async #leave(last = new Uint8Array(0)): Promise<void> {
    this.#state = "served";
    this.#deadlineMs = this.#now() + lingerMs;
    this.#requestBegan?.resolve();
    await writeAll(this.#client, last);
    await this.#client.closeWrite();
  }

  #heard(bytes: Uint8Array): "http1" | "http2" {
    if (this.#first.length < http2.length) {
      const missing = http2.length - this.#first.length;
      this.#first += String.fromCharCode(...bytes.subarray(0, missing));
      if (this.#first === http2) return "http2";
    }
    this.#last = (this.#last + String.fromCharCode(...bytes.subarray(-blankLine.length)))
      .slice(-blankLine.length);
    if (this.#requests === 0) {
      const { headTimeoutMs } = this.#options;
      if (this.#headBytes === 0) this.#dueIn(headTimeoutMs);
      this.#headBytes += bytes.length;
      if (this.#headBytes >= headBytesMax) this.#dueIn(Math.min(headTimeoutMs, largeHeadMs));
    }
    return "http1";
  }

  /** When that much was passed on without a request, nothing is read until there is one. */
  async #headTaken(): Promise<void> {
    while (this.#state === "open" && this.#requests === 0 && this.#headBytes >= headBytesMax) {
      this.#requestBegan = Promise.withResolvers();
      await this.#requestBegan.promise;
      this.#requestBegan = undefined;
    }
  }

  #beIdle(): void {
    this.#deadlineMs = this.#now() + this.#options.idleTimeoutMs;
  }

  #dueIn(ms: number): void {
    this.#deadlineMs = Math.min(this.#deadlineMs, this.#now() + ms);
  }

  #now(): number {
    return this.#options.clock.monotonic();
  }

  #leaveServer(): void {
    this.#passedOn.resolve();
    const server = this.#server;
    if (server !== undefined) {
      this.#options.left(server.localAddr.port);
      server.close();
    }
    this.#server = undefined;
  }

  #releaseBuffers(): void {
    this.#up.release();
    this.#down.release();
  }

  #gone(): void {
    if (this.#state === "closed") return;
    if (this.#state !== "taken") {
      this.#leaveServer();
      this.#releaseBuffers();
    }
    this.#state = "closed";
    this.#client.close();
    this.#requestBegan?.resolve();
    this.#options.ended();
  }
}

async function writeAll(
  to: Pick<Connection, "write">,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await to.write(bytes.subarray(at));
}
