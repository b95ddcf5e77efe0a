/**
 * Wakes the one who waits for something to do.
 *
 * @module
 */
export class Wake {
  #resolve: (() => void) | undefined;

  /** Something may be due. Who does not wait yet is not told. */
  kick(): void {
    const resolve = this.#resolve;
    this.#resolve = undefined;
    resolve?.();
  }

  /** Resolves with the next kick. */
  next(): Promise<void> {
    return new Promise((resolve) => this.#resolve = resolve);
  }
}
