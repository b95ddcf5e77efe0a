/**
 * Who waits for the store's yes to records that were left on the disk, by the records' sequence.
 *
 * @module
 */
import type { Completion } from "./commit_group.ts";

/** See the module. */
export class StoreWaiters {
  readonly #waiters = new Map<number, readonly Completion[]>();

  /** These wait for the record. */
  leave(sequence: number, completions: readonly Completion[]): void {
    if (completions.length > 0) this.#waiters.set(sequence, completions);
  }

  /** The record is in memory again, and with it those who wait. */
  take(sequence: number): readonly Completion[] {
    const completions = this.#waiters.get(sequence) ?? [];
    this.#waiters.delete(sequence);
    return completions;
  }

  /** Records `[start, end)` are gone: nobody waits for the store to take them any more. */
  end(start: number, end: number): void {
    for (const [sequence, completions] of this.#waiters) {
      if (sequence < start || sequence >= end) continue;
      this.#waiters.delete(sequence);
      for (const completion of completions) completion.complete();
    }
  }
}
