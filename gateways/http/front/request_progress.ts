/**
 * How far the requests of one connection are, as its bytes and the server tell, and what time that
 * leaves the client: for the next request to begin, for a head to end, and to go after the last
 * answer.
 *
 * @module
 */
import type { Clock } from "../../../runtime/clock.ts";

export interface RequestTimes {
  /** How long the head of a request may take to come. */
  readonly headTimeoutMs: number;
  /** How long a connection may be there without a request. */
  readonly idleTimeoutMs: number;
}

/** What a client was too late for. */
export type Lateness = "silent" | "slow_head" | "large_head" | "idle";

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
export class RequestProgress {
  readonly #clock: Clock;
  readonly #times: RequestTimes;
  #underWay = 0;
  /** The answer that is under way is the last. */
  #isLastAnswer = false;
  #isLeaving = false;
  /** Heard while no request was under way. */
  #headBytes = 0;
  /** The first bytes of the connection, and the last that were heard. */
  #first = "";
  #last = "";
  #deadlineMs: number;

  /** `connectedMs` is when the client was there; monotonic. */
  constructor(clock: Clock, times: RequestTimes, connectedMs = clock.monotonic()) {
    this.#clock = clock;
    this.#times = times;
    this.#deadlineMs = connectedMs + times.headTimeoutMs;
  }

  /** No request is under way. */
  get isIdle(): boolean {
    return this.#underWay === 0;
  }

  /** So much of a head has come that nothing more is to be read until the server has seen its end. */
  get isHeadFull(): boolean {
    return this.isIdle && this.#headBytes >= headBytesMax;
  }

  /** Bytes that may be passed on before that. */
  get roomBytes(): number {
    return this.isIdle ? Math.max(0, headBytesMax - this.#headBytes) : Infinity;
  }

  /** One request is under way, and nothing has come behind its head. */
  get isWaitedFor(): boolean {
    return this.#underWay === 1 && this.#last === blankLine;
  }

  /** What comes now is what is left of a body that nobody reads. */
  get isRest(): boolean {
    return this.#isLastAnswer && this.isIdle;
  }

  /** The client has sent this. */
  heard(bytes: Uint8Array): "http1" | "http2" {
    if (this.#first.length < http2.length) {
      const missing = http2.length - this.#first.length;
      this.#first += String.fromCharCode(...bytes.subarray(0, missing));
      if (this.#first === http2) return "http2";
    }
    this.#last = (this.#last + String.fromCharCode(...bytes.subarray(-blankLine.length)))
      .slice(-blankLine.length);
    if (this.isIdle) {
      const { headTimeoutMs } = this.#times;
      if (this.#headBytes === 0) this.#allowAtMost(headTimeoutMs);
      this.#headBytes += bytes.length;
      if (this.#headBytes >= headBytesMax) this.#allowAtMost(Math.min(headTimeoutMs, largeHeadMs));
    }
    return "http1";
  }

  /** The server has seen the head of a request. */
  began(): void {
    this.#underWay++;
    this.#headBytes = 0;
    this.#deadlineMs = Infinity;
  }

  /** The answer is the last: nobody reads the body, so nobody knows where the next head begins. */
  lastAnswer(): void {
    this.#isLastAnswer = true;
  }

  /** The answer to a request is complete, or cannot be any more. */
  completed(): void {
    if (--this.#underWay > 0 || this.#isLeaving) return;
    this.#headBytes = 0;
    this.#allow(this.#isLastAnswer ? lingerMs : this.#times.idleTimeoutMs);
  }

  /** The client was sent something. An answer that is complete may still be on its way. */
  answered(): void {
    if (this.isIdle && this.#headBytes === 0) this.#allow(this.#times.idleTimeoutMs);
  }

  /** The client was told that nothing more comes. */
  leave(): void {
    this.#isLeaving = true;
    this.#allow(lingerMs);
  }

  isLate(nowMs: number): boolean {
    return nowMs >= this.#deadlineMs;
  }

  /** What a client that is late now is late for; `undefined` when it is only to be gone. */
  get lateness(): Lateness | undefined {
    if (this.#isLeaving || this.#isLastAnswer) return undefined;
    if (this.#headBytes >= headBytesMax) return "large_head";
    if (this.#headBytes > 0) return "slow_head";
    return this.#first === "" ? "silent" : "idle";
  }

  #allow(ms: number): void {
    this.#deadlineMs = this.#clock.monotonic() + ms;
  }

  #allowAtMost(ms: number): void {
    this.#deadlineMs = Math.min(this.#deadlineMs, this.#clock.monotonic() + ms);
  }
}
