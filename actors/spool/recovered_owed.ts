/**
 * Which devices have readings that recovery found and the store does not have yet, and who waits
 * for them: a reading that comes again after a restart may be one of these. It is known by device
 * only, so the wait is for the last of them; for those that another shard found, until the store has
 * all that this one found of others' devices.
 *
 * @module
 */
import type { Completion } from "./commit_group.ts";
import type { OwedElsewhere } from "./owed_elsewhere.ts";
import type { SpoolRecord } from "./record.ts";

/** Devices told apart; the others have to wait for all that was recovered. */
const devicesMax = 100_000;

interface Waiting {
  readonly device: string;
  readonly last: number;
  readonly completion: Completion;
}

/** See the module. Records by sequence. */
export class RecoveredOwed {
  /** The last record of each device. */
  readonly #lastOf = new Map<string, number>();
  /** The last record of all. */
  #last = -1;
  /** The last record of devices that are not told apart. */
  #lastOfOthers = -1;
  /** The last record with a device that another shard owns. */
  #lastForeign = -1;
  #waiting: Waiting[] = [];
  /** What they wait for was found by another shard. */
  #waitingElsewhere: Waiting[] = [];
  readonly #elsewhere: OwedElsewhere | undefined;

  constructor(elsewhere?: OwedElsewhere) {
    this.#elsewhere = elsewhere;
  }

  /** Recovery found the record, behind those before it. */
  found(record: SpoolRecord): void {
    const { sequence } = record;
    this.#last = sequence;
    for (const device of record.devices) {
      if (this.#elsewhere?.found(device)) this.#lastForeign = sequence;
      else if (this.#lastOf.size < devicesMax || this.#lastOf.has(device)) {
        this.#lastOf.set(device, sequence);
      } else this.#lastOfOthers = sequence;
    }
  }

  /** Recovery is at its end. */
  foundAll(): void {
    // An incarnation before may have owed what is stored now.
    if (this.#lastForeign < 0) this.#elsewhere?.stored();
  }

  /**
   * Completes when the store has what was found of the device. False when it has it already:
   * `firstOwed` is the first record that it does not have.
   */
  wait(device: string, firstOwed: number | undefined, completion: Completion): boolean {
    const last = this.#lastOf.get(device) ?? this.#lastOfOthers;
    const waiting = { device, last, completion };
    if (firstOwed !== undefined && last >= firstOwed) this.#waiting.push(waiting);
    else if (this.#elsewhere?.has(device)) this.#waitingElsewhere.push(waiting);
    else return false;
    return true;
  }

  /** The store has all records before `firstOwed`. To be called now and then, too: see `elsewhere`. */
  stored(firstOwed: number | undefined): void {
    const isStored = (sequence: number) => firstOwed === undefined || sequence < firstOwed;
    if (this.#lastForeign >= 0 && isStored(this.#lastForeign)) {
      this.#lastForeign = -1;
      this.#elsewhere?.stored();
    }
    if (this.#last >= 0 && isStored(this.#last)) {
      this.#last = this.#lastOfOthers = -1;
      this.#lastOf.clear();
    }
    const own = taken(this.#waiting, ({ last }) => isStored(last));
    const other = taken(this.#waitingElsewhere, ({ device }) => !this.#elsewhere!.has(device));
    if (own !== undefined) this.#waiting = own.left;
    if (other !== undefined) this.#waitingElsewhere = other.left;
    for (const waiting of own?.taken ?? []) {
      if (this.#elsewhere?.has(waiting.device)) this.#waitingElsewhere.push(waiting);
      else waiting.completion.complete();
    }
    for (const { completion } of other?.taken ?? []) completion.complete();
  }
}

/** Those that are met, and the others; `undefined` when there are none. */
function taken(waiting: readonly Waiting[], isMet: (waiting: Waiting) => boolean) {
  if (!waiting.some(isMet)) return undefined;
  return { taken: waiting.filter(isMet), left: waiting.filter((one) => !isMet(one)) };
}
