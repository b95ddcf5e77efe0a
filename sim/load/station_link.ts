/**
 * A station's WebSocket under load: readings within window and credit, acknowledged one by one,
 * sent again under the same ids after a break.
 *
 * @module
 */
import type { LinkEnvironment, LoadLink } from "./link.ts";
import type { ReadingWindow } from "./reading_window.ts";
import { Refused } from "./refused.ts";
import { Wake } from "./wake.ts";

/** The part of a WebSocket that is used. */
export interface FrameSocket {
  send(text: string): void;
  close(): void;
}

export interface FrameSocketEvents {
  opened(): void;
  message(text: string): void;
  closed(code: number, reason: string): void;
}

export interface StationTarget {
  connect(events: FrameSocketEvents): FrameSocket;
  readonly token: string | undefined;
}

/** See the module. */
export class StationLink implements LoadLink {
  connected = false;
  readonly #name: string;
  readonly #window: ReadingWindow;
  readonly #target: StationTarget;
  readonly #env: LinkEnvironment;
  readonly #wake = new Wake();
  readonly #ready = Promise.withResolvers<void>();
  #credit = 0;
  #heardMs = 0;
  #wroteMs = 0;
  #broken: Error | undefined;
  #socket: FrameSocket | undefined;

  /** `name` is the station's, which is known by it after a break. */
  constructor(name: string, window: ReadingWindow, target: StationTarget, env: LinkEnvironment) {
    this.#name = name;
    this.#window = window;
    this.#target = target;
    this.#env = env;
  }

  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  get sent(): number {
    return this.#window.sent;
  }

  kick(): void {
    this.#wake.kick();
  }

  keepAlive(): void {
    const { keepAliveS, clock } = this.#env;
    if (keepAliveS === 0 || this.#socket === undefined) return;
    const nowMs = clock.nowMs();
    if (nowMs - this.#heardMs > keepAliveS * 1_500) {
      return this.#break(new Error("the server says nothing"));
    }
    if (this.connected && nowMs - this.#wroteMs > keepAliveS * 500) {
      this.#wroteMs = nowMs;
      this.#socket.send('{"type":"ping"}');
    }
  }

  async session(signal: AbortSignal): Promise<void> {
    const { clock } = this.#env;
    const window = this.#window;
    this.connected = false;
    this.#broken = undefined;
    this.#credit = 0;
    this.#heardMs = clock.nowMs();
    window.restart();
    const { token } = this.#target;
    const socket = this.#target.connect({
      opened: () => {
        const hello = { type: "hello", station: this.#name };
        socket.send(JSON.stringify(token === undefined ? hello : { ...hello, token }));
      },
      message: (text) => this.#heard(text),
      closed: (code, reason) => this.#break(Refused.byClose(code, reason)),
    });
    this.#socket = socket;
    const abort = () => this.#break(new Error("the run was ended"));
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
    try {
      while (this.#broken === undefined) {
        const nowMs = clock.nowMs();
        if (this.connected && window.finished(nowMs)) return;
        this.#send(nowMs);
        await this.#wake.next();
      }
      throw this.#broken;
    } finally {
      signal.removeEventListener("abort", abort);
      this.#socket = undefined;
      socket.close();
    }
  }

  #send(nowMs: number): void {
    for (;;) {
      const k = this.#window.next(nowMs, this.#credit);
      if (k < 0) return;
      const topic = JSON.stringify(this.#window.topic(k));
      this.#wroteMs = nowMs;
      this.#socket?.send(
        `{"type":"reading","id":${k},"topic":${topic},"payload":${this.#window.payload(k)}}`,
      );
    }
  }

  #heard(text: string): void {
    const nowMs = this.#env.clock.nowMs();
    this.#heardMs = nowMs;
    const frame: unknown = JSON.parse(text);
    if (typeof frame !== "object" || frame === null || !("type" in frame)) {
      return this.#break(new Error("a frame of the server cannot be read"));
    }
    if (frame.type === "welcome" && "credit" in frame) {
      this.connected = true;
      this.#credit = Number(frame.credit);
      this.#ready.resolve();
    } else if (frame.type === "credit" && "readings" in frame) {
      this.#credit = Number(frame.readings);
    } else if (frame.type === "ack" && "id" in frame) {
      this.#window.settled(Number(frame.id), nowMs, reasonOf(frame));
    }
    this.kick();
  }

  #break(cause: Error): void {
    this.#broken ??= cause;
    this.kick();
  }
}

/** Why the one reading of a frame was turned away; `undefined` when it was not. */
function reasonOf(ack: object): string | undefined {
  if (!("rejected" in ack) || !Array.isArray(ack.rejected)) return undefined;
  const first: unknown = ack.rejected[0];
  return typeof first === "object" && first !== null && "reason" in first
    ? String(first.reason)
    : "rejected";
}
