/**
 * Time that the machine gave nobody: what a test that says "within a second" must leave out.
 *
 * @module
 */

const tickMs = 20;

/** Sums up by how much a timer came late. Dispose of it to end it. */
export class Stalls implements Disposable {
  readonly #timer = setInterval(() => this.lostMs(), tickMs);
  #lostMs = 0;
  #lastMs = performance.now();

  /** Ms that were lost since this began. */
  lostMs(): number {
    const nowMs = performance.now();
    this.#lostMs += Math.max(0, nowMs - this.#lastMs - tickMs);
    this.#lastMs = nowMs;
    return this.#lostMs;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
