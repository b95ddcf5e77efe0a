/**
 * Devices whose code is not run any more before the next start, or before somebody gives them
 * another chance: it took the shard down, or did not return, twice. Once may be the machine's doing,
 * which was asleep.
 *
 * @module
 */

const strikesMax = 2;

/** See the module. */
export class CodeStrikes {
  /** Calls that did not return. */
  timeouts = 0;
  readonly #strikes = new Map<string, number>();

  /** Those that were found guilty before. */
  constructor(suspects: readonly string[]) {
    for (const id of suspects) this.#strikes.set(id, strikesMax);
  }

  /** Whether the device's code is not to be run. */
  out(id: string): boolean {
    return (this.#strikes.get(id) ?? 0) >= strikesMax;
  }

  /** The device has another chance. */
  forgive(id: string): void {
    this.#strikes.delete(id);
  }

  /** The device's code did not return. */
  add(id: string): void {
    this.timeouts++;
    this.#strikes.set(id, (this.#strikes.get(id) ?? 0) + 1);
  }
}
