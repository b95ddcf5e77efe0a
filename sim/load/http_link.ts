/**
 * A client that posts its readings: one request at a time with as many as are due, and once more
 * under the same idempotency key when it is not known what became of it.
 *
 * @module
 */
import { type Fields, isFields } from "../fields.ts";
import type { LinkEnvironment, LoadLink } from "./link.ts";
import type { ReadingWindow } from "./reading_window.ts";
import { Refused } from "./refused.ts";
import { Wake } from "./wake.ts";

/** What came back. */
export interface HttpAnswer {
  readonly status: number;
  readonly retryAfterS: number | undefined;
  readonly text: string;
}

export interface HttpTarget {
  /** Whether there is anybody; rejects when not. */
  probe(signal: AbortSignal): Promise<void>;
  /** Posts lines of JSON. Rejects when no answer came. */
  post(lines: string, idempotencyKey: string, signal: AbortSignal): Promise<HttpAnswer>;
}

/** Readings of one request. */
const batchMax = 5_000;

/** See the module. */
export class HttpLink implements LoadLink {
  connected = false;
  readonly #name: string;
  readonly #window: ReadingWindow;
  readonly #target: HttpTarget;
  readonly #env: LinkEnvironment;
  readonly #wake = new Wake();
  readonly #ready = Promise.withResolvers<void>();
  /** Numbers of the request that is under way, or has to be made again. */
  #batch: number[] = [];
  #askedMs = Infinity;
  #hangUp: AbortController | undefined;

  constructor(name: string, window: ReadingWindow, target: HttpTarget, env: LinkEnvironment) {
    this.#name = encodeURIComponent(name);
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
    if (keepAliveS > 0 && clock.nowMs() - this.#askedMs > keepAliveS * 1_500) {
      this.#hangUp?.abort(new Error("the server says nothing"));
    }
  }

  async session(signal: AbortSignal): Promise<void> {
    const { clock, book } = this.#env;
    this.connected = false;
    await this.#asking(signal, (hangUp) => this.#target.probe(hangUp));
    this.connected = true;
    this.#ready.resolve();
    const ended = () => this.kick();
    signal.addEventListener("abort", ended);
    try {
      while (!signal.aborted) {
        if (this.#batch.length > 0) book.totals.resent += this.#batch.length;
        else this.#fill();
        if (this.#batch.length > 0) await this.#post(signal);
        else if (this.#window.finished(clock.nowMs())) return;
        else await this.#wake.next();
      }
    } finally {
      signal.removeEventListener("abort", ended);
    }
  }

  #fill(): void {
    const nowMs = this.#env.clock.nowMs();
    for (;;) {
      const k = this.#window.next(nowMs, batchMax);
      if (k < 0) return;
      this.#batch.push(k);
    }
  }

  async #post(signal: AbortSignal): Promise<void> {
    const batch = this.#batch;
    const lines = batch.map((k) =>
      `{"topic":${JSON.stringify(this.#window.topic(k))},"payload":${this.#window.payload(k)}}\n`
    ).join("");
    const { status, retryAfterS, text } = await this.#asking(
      signal,
      (hangUp) => this.#target.post(lines, `${this.#name}.${batch[0]}`, hangUp),
    );
    const body = parsed(text);
    const rejected = rejectedOf(body);
    if (status === 204 || (status === 400 && rejected !== undefined)) {
      return this.#settled(batch.length, rejected);
    }
    if (status === 429 && "taken" in body) {
      this.#env.book.reason("backpressure");
      this.#settled(Number(body.taken), rejected);
    } else if (status === 503) {
      this.#env.book.reason(text.includes("not-settled") ? "not settled" : "unavailable");
    } else {
      throw Refused.byStatus(status, text);
    }
    await this.#env.clock.sleep(
      (retryAfterS ?? 1) * 1_000 * this.#env.random.between(1, 1.5),
      signal,
    );
  }

  /** The first `count` of the batch have their fate. */
  #settled(count: number, rejected: ReadonlyMap<number, string> = new Map()): void {
    const nowMs = this.#env.clock.nowMs();
    for (const [index, k] of this.#batch.slice(0, count).entries()) {
      this.#window.settled(k, nowMs, rejected.get(index));
    }
    this.#batch = this.#batch.slice(count);
  }

  async #asking<T>(signal: AbortSignal, ask: (hangUp: AbortSignal) => Promise<T>): Promise<T> {
    this.#hangUp = new AbortController();
    this.#askedMs = this.#env.clock.nowMs();
    try {
      return await ask(AbortSignal.any([signal, this.#hangUp.signal]));
    } finally {
      this.#askedMs = Infinity;
    }
  }
}

function parsed(text: string): Fields {
  try {
    const value: unknown = JSON.parse(text);
    return isFields(value) ? value : {};
  } catch {
    return {};
  }
}

/** Index → reason of the items that were turned away; `undefined` when the answer names none. */
function rejectedOf(
  { rejected }: Fields,
): ReadonlyMap<number, string> | undefined {
  if (!Array.isArray(rejected)) return undefined;
  const reasons = new Map<number, string>();
  for (const item of rejected) {
    if (isFields(item)) reasons.set(Number(item.index), String(item.reason));
  }
  return reasons;
}
