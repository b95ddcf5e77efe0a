/**
 * A station's way to the service: sends what waits in the queue within the credit, what is new
 * before what is old, and removes a reading only when it is acknowledged. After a cut it connects
 * again, ever less often, and sends again what was not acknowledged. When its token expires it logs
 * in again, without a cut while its place stays the same.
 *
 * @module
 */
import type { SimClock } from "../clock.ts";
import type { Access, Place } from "./access.ts";
import { LoginError } from "./login.ts";
import type { StationQueue } from "./queue.ts";

/** A connection that is being made, or was. */
export interface UplinkSocket {
  /** Does nothing while there is no connection. */
  send(text: string): void;
  close(): void;
}

/** What a connection tells. */
export interface UplinkEvents {
  opened(): void;
  message(text: string): void;
  /** With the code of WebSocket's close frame; 1006 without one. */
  closed(code: number): void;
}

export interface UplinkOptions {
  readonly connect: (url: string, events: UplinkEvents) => UplinkSocket;
  readonly queue: StationQueue;
  readonly station: string;
  readonly access: Access;
  readonly topic: string;
  /** Readings of the backlog a second at most; new ones are not held to it. */
  readonly backlogRate: number;
  readonly clock: SimClock;
  /** Is told, once while it goes on, why there is no connection. */
  readonly trouble?: (why: string) => void;
}

/** Counts since the start. */
export interface UplinkTotals {
  connections: number;
  sent: number;
  acknowledged: number;
  /** Acknowledged, though not stored: the service said why. */
  rejected: number;
}

const retryMinMs = 200;
const retryMaxMs = 5_000;
const paceMs = 50;
/** Without a word from the service for so long the connection is taken for dead. */
const silenceMs = 10_000;
/** The service closes with this when there is no good token. */
const unauthorized = 4401;

/** See the module. */
export class Uplink {
  readonly totals: UplinkTotals = { connections: 0, sent: 0, acknowledged: 0, rejected: 0 };
  readonly #options: UplinkOptions;
  /** Sent over this connection and not acknowledged. */
  readonly #underWay = new Set<number>();
  /** New readings, which go before the backlog. */
  #live: number[] = [];
  #socket: UplinkSocket | undefined;
  #credit = 0;
  #paced = 0;
  #heardMs = 0;
  #welcomed = false;
  /** Told last. */
  #trouble = "";

  constructor(options: UplinkOptions) {
    this.#options = options;
  }

  get connected(): boolean {
    return this.#welcomed;
  }

  /** A reading was put in the queue. */
  added(id: number): void {
    if (!this.#welcomed) return; // It is part of the backlog then.
    this.#live.push(id);
    this.#send();
  }

  /** Keeps the connection until `stop` aborts. */
  async run(stop: AbortSignal): Promise<void> {
    const { access, clock } = this.#options;
    let retryMs = retryMinMs;
    while (!stop.aborted) {
      const startMs = clock.nowMs();
      const hadConnections = this.totals.connections;
      let waitMs = 0;
      const place = await access.place().catch((cause: unknown) => {
        waitMs = this.#troubled(cause);
      });
      if (place) {
        const code = await this.#connection(place, stop);
        if (stop.aborted) break;
        if (code === unauthorized) {
          access.refused();
          const what = place.token === undefined ? "asks for a token" : "does not take the token";
          this.#troubled(new Error(`${place.url} ${what}`));
        } else if (this.totals.connections === hadConnections) {
          access.unanswered();
          this.#troubled(new Error(`cannot connect to ${place.url}`));
        } else this.#troubled(new Error(`the connection to ${place.url} has ended (${code})`));
      }
      const wasUp = this.totals.connections > hadConnections && clock.nowMs() - startMs > 1_000;
      retryMs = wasUp ? retryMinMs : Math.min(retryMs * 2, retryMaxMs);
      await clock.sleep(Math.max(retryMs, waitMs), stop);
    }
  }

  /** Tells what keeps it away; gives how long to wait before the next one, in ms. */
  #troubled(cause: unknown): number {
    const why = cause instanceof Error ? cause.message : String(cause);
    if (this.#trouble !== why) this.#options.trouble?.(why);
    this.#trouble = why;
    return cause instanceof LoginError ? cause.waitMs : 0;
  }

  /** Gives the code that it was closed with. */
  async #connection(place: Place, stop: AbortSignal): Promise<number> {
    const { clock, connect, backlogRate } = this.#options;
    const closed = new AbortController();
    let code = 1006;
    this.#heardMs = clock.nowMs();
    const socket: UplinkSocket = connect(place.url, {
      opened: () => this.#hello(socket, place),
      message: (text) => this.#heard(text, socket, place),
      closed: (why) => {
        code = why;
        closed.abort();
      },
    });
    const end = AbortSignal.any([stop, closed.signal]);
    let pingMs = clock.nowMs();
    while (!end.aborted) {
      await clock.sleep(paceMs, end);
      const nowMs = clock.nowMs();
      if (nowMs - this.#heardMs > silenceMs) break;
      if (!this.#welcomed) continue;
      this.#paced = Math.min(backlogRate, this.#paced + backlogRate * paceMs / 1_000);
      this.#send();
      if (nowMs - pingMs > silenceMs / 3) {
        pingMs = nowMs;
        socket.send('{"type":"ping"}');
      }
    }
    this.#welcomed = false;
    this.#socket = undefined;
    this.#underWay.clear();
    this.#live = [];
    socket.close();
    return code;
  }

  #hello(socket: UplinkSocket, { token }: Place): void {
    const { station } = this.#options;
    socket.send(
      JSON.stringify({ type: "hello", station, ...(token === undefined ? {} : { token }) }),
    );
  }

  /** The service asks for a new token, and gives some time for that. */
  async #renew(socket: UplinkSocket, { url }: Place): Promise<void> {
    try {
      const place = await this.#options.access.renewed();
      if (place.url === url) this.#hello(socket, place);
      else socket.close(); // Another instance is to serve it.
    } catch (cause) {
      this.#troubled(cause);
    }
  }

  #heard(text: string, socket: UplinkSocket, place: Place): void {
    this.#heardMs = this.#options.clock.nowMs();
    const frame: unknown = JSON.parse(text);
    if (typeof frame !== "object" || frame === null || !("type" in frame)) return;
    if (frame.type === "welcome" && "credit" in frame) {
      if (!this.#welcomed) this.totals.connections++;
      this.#socket = socket;
      this.#welcomed = true;
      this.#trouble = "";
      this.#credit = Number(frame.credit);
    } else if (frame.type === "credit" && "readings" in frame) {
      this.#credit = Number(frame.readings);
    } else if (frame.type === "ack" && "id" in frame) {
      const id = Number(frame.id);
      if (!this.#underWay.delete(id)) return;
      this.#options.queue.remove(id);
      this.totals.acknowledged++;
      if ("rejected" in frame) this.totals.rejected++;
    } else if (frame.type === "token_expired") {
      this.#renew(socket, place);
    }
    this.#send();
  }

  /** Sends what may be sent: new readings, then the backlog, oldest first, at its pace. */
  #send(): void {
    const { queue } = this.#options;
    if (!this.#welcomed) return;
    while (this.#live.length > 0 && this.#underWay.size < this.#credit) {
      this.#sendOne(this.#live.shift()!);
    }
    if (this.#live.length > 0 || this.#underWay.size >= this.#credit) return;
    for (const [id] of queue.waiting()) {
      if (this.#paced < 1 || this.#underWay.size >= this.#credit) return;
      if (this.#underWay.has(id)) continue;
      this.#paced--;
      this.#sendOne(id);
    }
  }

  #sendOne(id: number): void {
    const payload = this.#options.queue.payload(id);
    if (payload === undefined) return;
    this.#underWay.add(id);
    this.totals.sent++;
    const topic = JSON.stringify(this.#options.topic);
    this.#socket?.send(`{"type":"reading","id":${id},"topic":${topic},"payload":${payload}}`);
  }
}
