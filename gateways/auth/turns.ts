/**
 * A bound on costly work: so much at once, so many waiting, and no more.
 *
 * @module
 */

/** Neither a turn nor a place to wait for one. */
export class BusyError extends Error {
  override readonly name = "BusyError";
}

/** See the module. */
export class Turns {
  readonly #atOnceMax: number;
  readonly #waitingMax: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(atOnceMax: number, waitingMax: number) {
    this.#atOnceMax = atOnceMax;
    this.#waitingMax = waitingMax;
  }

  /** @throws {BusyError} at once when too many wait already. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#atOnceMax) {
      this.#running++;
    } else if (this.#waiting.length < this.#waitingMax) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve)); // takes over a turn
    } else {
      throw new BusyError(`${this.#waiting.length} wait already`);
    }
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
