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
import { noDelay } from "../../mqtt/endpoint/output.ts";
import { type BufferBudget, ReadBuffer } from "../../mqtt/endpoint/read_buffer.ts";
import { farewell } from "./farewell.ts";
import { RequestProgress, type RequestTimes } from "./request_progress.ts";
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

/** `idleTimeoutMs` is also how long the client may leave what it is sent. */
export interface VisitOptions extends RequestTimes {
  readonly clock: Clock;
  /** For read buffers that have grown. */
  readonly budget: BufferBudget;
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
  readonly #progress: RequestProgress;
  #server: ServerConnection | undefined;
  /** The client sends no more. */
  #clientDone = false;
  /** More has been read of the client than was passed on, or is being passed on now. */
  #hasMore = false;
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
    noDelay(connection);
    this.#client = connection;
    this.#options = options;
    this.#up = new ReadBuffer(options.budget);
    this.#down = new ReadBuffer(options.budget);
    this.#progress = new RequestProgress(options.clock, options, connectedMs);
  }

  /** No request is under way. */
  get idle(): boolean {
    return this.#progress.isIdle && this.#state !== "taken";
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
    this.#progress.began();
    this.#requestBegan?.resolve();
  }

  /** The answer is the last: nobody reads the body, so nobody knows where the next head begins. */
  lastAnswer(): void {
    this.#progress.lastAnswer();
  }

  /** The answer to a request is complete, or cannot be any more. */
  completed(): void {
    this.#progress.completed();
    if (this.#state !== "open" || !this.#progress.isRest) return;
    this.#server?.closeWrite().catch(() => {}); // It would wait for the body.
  }

  /**
   * The client's connection, for whoever answers the request that is under way: from now on the
   * server has no part in it. `undefined` when the client has not waited for that answer.
   */
  takeOver(): Connection | undefined {
    if (this.#state !== "open" || !this.#progress.isWaitedFor || this.#hasMore) return undefined;
    this.#state = "taken";
    this.#leaveServer();
    this.#releaseBuffers();
    return new TakenConnection(this.#client, this.#read, () => this.#gone());
  }

  get #isOver(): boolean {
    return this.#state === "taken" || this.#state === "closed";
  }

  /** To be called now and then. */
  sweep(nowMs: number): void {
    if (this.#state === "taken") return;
    const sinceMs = this.#writingSinceMs ?? nowMs;
    if (nowMs - sinceMs >= this.#options.idleTimeoutMs) this.end("unread");
    else if (this.#progress.isLate(nowMs)) this.end(this.#progress.lateness);
  }

  /** Ends the connection, at once or with a last word, unless it was taken over. */
  end(why?: VisitEnd): void {
    if (this.#isOver) return;
    if (why !== undefined) this.#options.ending(why);
    const last = why && farewell(why);
    if (last === undefined) this.#gone();
    else this.#takeLeave(last);
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
        if (this.#progress.isRest) return;
        return await this.#server.closeWrite();
      }
      buffer.filled(count, false);
      await this.#passOn(into.subarray(0, count));
      buffer.start = buffer.end;
      if (this.#isOver) return;
    }
  }

  async #passOn(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    for (let at = 0; at < bytes.length && this.#state === "open" && !this.#progress.isRest;) {
      const part = bytes.subarray(at, at + this.#progress.roomBytes);
      at += part.length;
      this.#hasMore = at < bytes.length;
      if (this.#progress.heard(part) === "http2") return this.end("http2");
      const server = this.#server ??= await this.#dial();
      // A server that takes no more has still something to say, and then it closes.
      await writeAll(server, part).catch(() => {});
      await this.#headTaken();
    }
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
      this.#progress.answered();
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
    this.#progress.leave();
    this.#requestBegan?.resolve();
    await writeAll(this.#client, last);
    await this.#client.closeWrite();
  }

  /** When a whole head was passed on without a request, nothing is read until there is one. */
  async #headTaken(): Promise<void> {
    while (this.#state === "open" && this.#progress.isHeadFull) {
      this.#requestBegan = Promise.withResolvers();
      await this.#requestBegan.promise;
      this.#requestBegan = undefined;
    }
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
