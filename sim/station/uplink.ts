/**
 * A station's way to the service: sends what waits in the queue within the credit, what is new
 * before what is old, and removes a reading only when it is acknowledged. After a cut it connects
 * again, ever less often, and sends again what was not acknowledged.
 *
 * @module
 */
import type { SimClock } from "../clock.ts";
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
  closed(): void;
}

export interface UplinkOptions {
  readonly connect: (events: UplinkEvents) => UplinkSocket;
  readonly queue: StationQueue;
  readonly station: string;
  readonly token: string | undefined;
  readonly topic: string;
  /** Readings of the backlog a second at most; new ones are not held to it. */
  readonly backlogRate: number;
  readonly clock: SimClock;
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
    const { clock } = this.#options;
    let retryMs = retryMinMs;
    while (!stop.aborted) {
      const startMs = clock.nowMs();
      const hadConnections = this.totals.connections;
      await this.#connection(stop);
      const wasUp = this.totals.connections > hadConnections && clock.nowMs() - startMs > 1_000;
      retryMs = wasUp ? retryMinMs : Math.min(retryMs * 2, retryMaxMs);
      await clock.sleep(retryMs, stop);
    }
  }

  async #connection(stop: AbortSignal): Promise<void> {
    const { clock, connect, station, token, backlogRate } = this.#options;
    const closed = new AbortController();
    this.#heardMs = clock.nowMs();
    const socket: UplinkSocket = connect({
      opened: () => {
        const hello = { type: "hello", station, ...(token === undefined ? {} : { token }) };
        socket.send(JSON.stringify(hello));
      },
      message: (text) => this.#heard(text, socket),
      closed: () => closed.abort(),
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
  }

  #heard(text: string, socket: UplinkSocket): void {
    this.#heardMs = this.#options.clock.nowMs();
    const frame: unknown = JSON.parse(text);
    if (typeof frame !== "object" || frame === null || !("type" in frame)) return;
    if (frame.type === "welcome" && "credit" in frame) {
      this.totals.connections++;
      this.#socket = socket;
      this.#welcomed = true;
      this.#credit = Number(frame.credit);
    } else if (frame.type === "credit" && "readings" in frame) {
      this.#credit = Number(frame.readings);
    } else if (frame.type === "ack" && "id" in frame) {
      const id = Number(frame.id);
      if (!this.#underWay.delete(id)) return;
      this.#options.queue.remove(id);
      this.totals.acknowledged++;
      if ("rejected" in frame) this.totals.rejected++;
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
