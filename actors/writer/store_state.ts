/**
 * Whether the store is there, as its answers tell: one place for all lanes, so that a store that is
 * away is asked by one write at a time, and not by each lane at its own pace.
 *
 * @module
 */

/** Monotonic ms. */
export class StoreState {
  /** Why the store counts as away. Before its first answer it does, too. */
  #reason: string | undefined = "the store has not answered yet";
  #sinceMs: number;
  #failures = 0;
  #notBeforeMs = 0;

  constructor(nowMs: number) {
    this.#sinceMs = nowMs;
  }

  /** Why the store is away; `undefined` when it is there. */
  get reason(): string | undefined {
    return this.#reason;
  }

  get away(): boolean {
    return this.#reason !== undefined;
  }

  /** Answers in a row that were no yes. */
  get failures(): number {
    return this.#failures;
  }

  /** Ms until the store may be asked again. */
  waitMs(nowMs: number): number {
    return Math.max(0, this.#notBeforeMs - nowMs);
  }

  /** It answered. Answers for how many ms it had failed, or `undefined` when it had not. */
  answered(nowMs: number): number | undefined {
    const awayMs = this.#failures > 0 ? nowMs - this.#sinceMs : undefined;
    this.#reason = undefined;
    this.#failures = 0;
    this.#notBeforeMs = 0;
    return awayMs;
  }

  /** It failed, and is to be left alone for `delayMs`. True when that is news. */
  failed(reason: string, delayMs: number, nowMs: number): boolean {
    const news = this.#failures === 0;
    if (!this.away) this.#sinceMs = nowMs;
    this.#reason = reason;
    this.#failures++;
    this.#notBeforeMs = Math.max(this.#notBeforeMs, nowMs + delayMs);
    return news;
  }
}
