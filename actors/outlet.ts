/**
 * Where the devices of a shard put the fate of each reading. Points gather in the open commit
 * group; everything else is booked at once and becomes durable with the same commit. When the last
 * reading of a batch has its fate, the batch waits for that commit, and is then settled.
 *
 * @module
 */
import type { Letter } from "./dead_letters/letter.ts";
import { FirstCopies } from "./first_copies.ts";
import { transports } from "./intake.ts";
import type { Ledger } from "./ledger.ts";
import type { LineBuffer } from "./line_buffer.ts";
import type { OwnedBatch, OwnedReading } from "./owned_batch.ts";
import type { DeviceOutlet, TopicEntry } from "./reading.ts";
import { transportCode } from "./readings_frame.ts";
import type { CommitGroup, Completion, GroupDevice } from "./spool/commit_group.ts";
import type { CommitTime } from "./spool/spool_actor.ts";

export interface OutletOptions {
  readonly group: CommitGroup;
  readonly ledger: Ledger;
  /** Takes a dead letter in; it is synced by the next commit. */
  readonly deadLetter: (letter: Letter) => void;
  /** Asks the spool to commit; `soon`: nobody waits, more may gather. */
  readonly requestCommit: (when: CommitTime) => void;
  /**
   * Completes when the store has all that recovery found of a device; false when it has it already.
   */
  readonly recoveredStored: (deviceId: string, completion: Completion) => boolean;
  /** Counts the points of what is stored. False, and when it is absent: they are not counted. */
  readonly onPoints?: ((entry: TopicEntry, points: number) => boolean) | undefined;
  /** Sees every reading that becomes nothing, for the log of the data flow. */
  readonly onNothing?: (topic: string) => void;
}

/** Lines that do not gather any longer, though nobody waits for them. */
const gatherBytesMax = 256 * 1024;

/** See the module. */
export class Outlet implements DeviceOutlet<OwnedReading> {
  readonly #group: CommitGroup;
  readonly #options: OutletOptions;
  readonly #firstCopies = new FirstCopies();

  constructor(options: OutletOptions) {
    this.#group = options.group;
    this.#options = options;
  }

  lines(): LineBuffer {
    return this.#group.lines;
  }

  points(
    reading: OwnedReading,
    device: GroupDevice,
    hi: number,
    lo: number,
    points: number,
  ): void {
    const group = this.#group;
    const { batch } = reading;
    if (this.#options.onPoints?.(reading.entry, points)) {
      (batch.points ??= new Array<number>(batch.frame.count).fill(0))[reading.index] = points;
    }
    group.add(device, hi, lo);
    if (group.count === 1) this.#options.requestCommit(batch.frame.awaited ? "now" : "soon");
    if (batch.ackLevel === "stored") {
      this.#firstCopies.add(group, hi, lo);
      if (batch.groupNo !== group.groupNo) {
        batch.groupNo = group.groupNo;
        batch.waits++;
        group.stored.push(batch);
      }
    }
    if (--batch.pending === 0) this.#decided(batch);
  }

  duplicate(reading: OwnedReading, hi: number, lo: number): void {
    const { batch, entry } = reading;
    this.#options.ledger.duplicate();
    if (batch.ackLevel === "stored") {
      const waits = this.#firstCopies.follow(hi, lo, batch) ||
        this.#options.recoveredStored(entry.deviceId, batch);
      if (waits) batch.waits++;
    }
    if (--batch.pending === 0) this.#decided(batch);
  }

  refused(reading: OwnedReading, reason: string): void {
    this.#options.ledger.refused(reason);
    this.#reject(reading.batch, { index: reading.index, outcome: "refused", reason });
  }

  /** A reading whose topic has no route at its owner. */
  unrouted(batch: OwnedBatch, index: number, reason: string): void {
    this.#options.ledger.refused(reason);
    this.#reject(batch, { index, outcome: "refused", reason });
  }

  dead(reading: OwnedReading, reason: string, detail: string): void {
    const { batch, entry, index } = reading;
    this.#group.rollback();
    this.#options.onNothing?.(entry.topic);
    this.#options.ledger.deadLettered(reason);
    this.#options.deadLetter({
      topic: entry.topic,
      payload: batch.data.slice(reading.start, reading.end),
      arrivalMs: batch.arrivalMs,
      transport: transports[transportCode(batch.frame, index)] ?? "mqtt",
      reason,
      detail,
    });
    this.#reject(batch, { index, outcome: "dead_lettered", reason, detail });
  }

  #reject(batch: OwnedBatch, rejection: OwnedBatch["rejected"][number]): void {
    batch.rejected.push(rejection);
    if (--batch.pending === 0) this.#decided(batch);
  }

  /**
   * Whatever became of its last reading, earlier ones may still be in the open group; and letters
   * are durable with it.
   */
  #decided(batch: OwnedBatch): void {
    const group = this.#group;
    batch.waits++;
    group.durable.push(batch);
    const now = batch.frame.awaited || group.lines.length >= gatherBytesMax;
    this.#options.requestCommit(now ? "now" : "soon");
  }
}
