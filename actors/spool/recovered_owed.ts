/**
 * Which devices have readings that recovery found and the store does not have yet, and who waits
 * for them: a reading that comes again after a restart may be one of these. It is known by device
 * only, so the wait is for the last of them.
 *
 * @module
 */
import type { Completion } from "./commit_group.ts";
import type { SpoolRecord } from "./record.ts";

/** Devices told apart; the others have to wait for all that was recovered. */
const devicesMax = 100_000;

/** See the module. Records by sequence. */
export class RecoveredOwed {
  /** The last record of each device. */
  readonly #lastOf = new Map<string, number>();
  /** The last record of all. */
  #last = -1;
  /** The last record of devices that are not told apart. */
  #lastOfOthers = -1;
  #waiting: { readonly last: number; readonly completion: Completion }[] = [];

  /** Recovery found the record, behind those before it. */
  found(record: SpoolRecord): void {
    this.#last = record.sequence;
    for (const device of record.devices) {
      if (this.#lastOf.size < devicesMax || this.#lastOf.has(device)) {
        this.#lastOf.set(device, record.sequence);
      } else this.#lastOfOthers = record.sequence;
    }
  }

  /**
   * Completes when the store has what was found of the device. False when it has it already:
   * `firstOwed` is the first record that it does not have.
   */
  wait(device: string, firstOwed: number | undefined, completion: Completion): boolean {
    const last = this.#lastOf.get(device) ?? this.#lastOfOthers;
    if (firstOwed === undefined || last < firstOwed) return false;
    this.#waiting.push({ last, completion });
    return true;
  }

  /** The store has all records before `firstOwed`. */
  stored(firstOwed: number | undefined): void {
    if (this.#last < 0) return;
    const isStored = (sequence: number) => firstOwed === undefined || sequence < firstOwed;
    if (isStored(this.#last)) {
      this.#last = this.#lastOfOthers = -1;
      this.#lastOf.clear();
    }
    const waiting = this.#waiting;
    if (!waiting.some(({ last }) => isStored(last))) return;
    this.#waiting = waiting.filter(({ last }) => !isStored(last));
    for (const { last, completion } of waiting) if (isStored(last)) completion.complete();
  }
}
