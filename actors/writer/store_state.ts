/**
 * Whether the store is there, as its answers tell: one place for all lanes, so that a store that is
 * away is asked by one write at a time, and not by each lane at its own pace. When nobody writes it
 * says when to ask: a store that is away, to find it back; one whose yes is not durable, to see that
 * it runs on.
 *
 * @module
 */

const probeIntervalMs = 5_000;
const seenIntervalMs = 1_000;

/** Monotonic ms. */
export class StoreState {
  /** How long after a write the store is looked after. */
  readonly #watchMs: number;
  /** Why the store counts as away. Before its first answer it does, too. */
  #reason: string | undefined = "the store has not answered yet";
  #awaySinceMs = 0;
  #failures = 0;
  #notBeforeMs = -Infinity;
  #probing = false;
  #answeredMs = -Infinity;
  #watchUntilMs = -Infinity;
  #seenMs = -Infinity;

  /** `watchMs` 0: a store whose yes is durable. */
  constructor(watchMs: number) {
    this.#watchMs = watchMs;
  }

  /** Why the store is away; `undefined` when it is there. */
  get reason(): string | undefined {
    return this.#reason;
  }

  get away(): boolean {
    return this.#reason !== undefined;
  }

  /** For how long it has failed; 0 while it does not. */
  failingMs(nowMs: number): number {
    return this.#failures > 0 ? nowMs - this.#awaySinceMs : 0;
  }

  /** Answers in a row that were no yes. */
  get failures(): number {
    return this.#failures;
  }

  /** Ms until a lane may write; `Infinity` when that waits for another answer. */
  writeInMs(otherWrites: boolean, nowMs: number): number {
    if (!this.away) return 0;
    return otherWrites || this.#probing ? Infinity : Math.max(0, this.#notBeforeMs - nowMs);
  }

  /** Ms until it is to be asked without a write; `Infinity` when it need not. */
  probeInMs(writes: boolean, nowMs: number): number {
    if (writes || this.#probing) return Infinity;
    if (this.away) return Math.max(0, this.#notBeforeMs - nowMs);
    if (nowMs >= this.#watchUntilMs) return Infinity;
    return Math.max(0, this.#answeredMs + probeIntervalMs - nowMs);
  }

  probing(): void {
    this.#probing = true;
  }

  probed(): void {
    this.#probing = false;
  }

  /** It took readings. */
  stored(nowMs: number): void {
    this.#watchUntilMs = nowMs + this.#watchMs;
  }

  /**
   * It answered. `awayMs`: for how long it had failed, when it had. `seen`: worth telling whoever
   * wants to know that it runs on, about once a second.
   */
  answered(nowMs: number): { readonly awayMs: number | undefined; readonly seen: boolean } {
    const awayMs = this.#failures > 0 ? nowMs - this.#awaySinceMs : undefined;
    const seen = nowMs - this.#seenMs >= seenIntervalMs;
    if (seen) this.#seenMs = nowMs;
    this.#answeredMs = nowMs;
    this.#reason = undefined;
    this.#failures = 0;
    return { awayMs, seen };
  }

  /** It failed, and is to be left alone for `delayMs`. Answers what is new about that. */
  failed(reason: string, delayMs: number, nowMs: number): "away" | "reason" | undefined {
    const isFirst = this.#failures === 0;
    const news = isFirst ? "away" : reason === this.#reason ? undefined : "reason";
    if (isFirst) this.#awaySinceMs = nowMs;
    this.#reason = reason;
    this.#failures++;
    this.#seenMs = -Infinity;
    this.#notBeforeMs = nowMs + delayMs;
    return news;
  }
}
