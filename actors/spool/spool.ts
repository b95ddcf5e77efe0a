/**
 * Where a reading becomes durable. Groups are committed one after the other; while one is being
 * synced the next gathers, so commits grow with the load and nobody waits for a timer: what nobody
 * waits for may.
 *
 * What does not fit, or what the disk refuses, is not lost and not acknowledged: the group waits,
 * its senders get no more credit, and the commit is tried again until the disk takes it.
 *
 * @module
 */
import { messageOf } from "../../runtime/message_of.ts";
import { isNoSpace } from "../segment_log/no_space.ts";
import type { Segment } from "../segment_log/segment.ts";
import type { SegmentLog } from "../segment_log/segment_log.ts";
import { Appender } from "./appender.ts";
import { CommitGroup, type Completion } from "./commit_group.ts";
import type { Custody } from "./custody.ts";
import { Progress } from "./progress.ts";
import { sealGroup, type SpoolRecord } from "./record.ts";
import type { RecoveredOwed } from "./recovered_owed.ts";
import { recover, type Recovery } from "./recovery.ts";
import type { Remains } from "./remains.ts";
import { ReplayReader } from "./replay_reader.ts";
import { Retention, SpoolFullError } from "./retention.ts";
import type { SpoolOptions } from "./spool_options.ts";
import { StoreWaiters } from "./store_waiters.ts";

/** A group on its way to the disk. */
interface Sealed {
  readonly record: SpoolRecord | undefined;
  readonly durable: readonly Completion[];
  readonly stored: readonly Completion[];
  written: boolean;
}

const retryMinMs = 50;
const retryMaxMs = 1_000;

/** See the module. Driven by `begin`, then `end` or `failed`; {@linkcode spoolActor} does that. */
export class Spool {
  /** What gathers now. */
  readonly group = new CommitGroup();
  readonly #options: SpoolOptions;
  readonly #log: SegmentLog;
  readonly #custody: Custody;
  readonly #replay: ReplayReader;
  readonly #retention: Retention;
  readonly #progress: Progress;
  readonly #appender: Appender;
  readonly #waiters = new StoreWaiters();
  readonly #recovered: RecoveredOwed;
  readonly #remains: Remains;
  #sealed: Sealed | undefined;
  #committing = false;
  /** Where the log ended when the last commit began: what that adds is in nobody's custody at first. */
  #endBefore = 0;
  #attempts = 0;

  private constructor(
    options: SpoolOptions,
    { log, custody, waiting, checkpoint, owed, remains }: Recovery,
  ) {
    this.#options = options;
    this.#log = log;
    this.#custody = custody;
    this.#recovered = owed;
    this.#remains = remains;
    const waiters = this.#waiters;
    const retention = new Retention(
      options,
      log,
      custody,
      waiting,
      (start, end) => {
        this.#replay.gone(start, end);
        waiters.end(start, end);
      },
      remains,
    );
    this.#retention = retention;
    this.#appender = new Appender(log, retention, remains, options.leavesRoom);
    this.#progress = new Progress(options.files, options.directory, log.segments, checkpoint);
    this.#replay = new ReplayReader(log, custody, {
      read: (segment, record) => {
        if (!record.again) retention.count(segment, -record.count);
        record.stored = waiters.take(record.sequence);
      },
      unreadable: (segment, start, end, readings) => {
        retention.lose(segment, start, end, readings);
        waiters.end(start, end);
      },
    });
  }

  /**
   * Opens the directory and takes up what is in it: each record that the store may not have goes to
   * the replay, and each is shown to `recovered`; see {@linkcode recover}.
   */
  static async open(
    options: SpoolOptions,
    recovered: (record: SpoolRecord) => void,
  ): Promise<{ spool: Spool; report: Recovery["report"] }> {
    const recovery = await recover(options, recovered);
    return { spool: new Spool(options, recovery), report: recovery.report };
  }

  /** Bytes on the disk. */
  get bytes(): number {
    return this.#log.bytes;
  }

  /** Readings that wait on the disk for the replay, without those that are written again. */
  get backlog(): number {
    return this.#retention.backlog;
  }

  /** Records wait on the disk. */
  get hasBacklog(): boolean {
    return this.#custody.nextWaiting !== undefined;
  }

  /** Something is kept for the case that the store has forgotten it. */
  get keeps(): boolean {
    return !this.#custody.kept.empty;
  }

  /** What remains of readings that gave way is on no disk now: the next commit writes it. */
  get carries(): boolean {
    return this.#remains.carriedBytes > 0;
  }

  /** Nothing waits to be committed. */
  get isClean(): boolean {
    return this.#sealed === undefined && this.group.empty;
  }

  /** The last commit failed. */
  get stalled(): boolean {
    return this.#attempts > 0;
  }

  /**
   * Starts to commit what has gathered, or what failed before. Nothing when there is nothing, or a
   * commit is on its way. The caller answers the promise with {@linkcode end} or {@linkcode failed}.
   */
  begin(): Promise<void> | undefined {
    if (this.#committing) return undefined;
    const { part } = this.#options;
    if (this.#sealed === undefined) {
      if (this.group.empty && !(part?.dirty ?? false) && !this.carries) return undefined;
      this.#sealed = this.#seal();
    }
    this.#committing = true;
    this.#endBefore = this.#log.nextSequence;
    return this.#commit(this.#sealed);
  }

  /** The commit is on the disk: tells who waited for it, and offers the record to the writer. */
  end(): void {
    const sealed = this.#sealed!;
    const { record } = sealed;
    const { events, part } = this.#options;
    this.#sealed = undefined;
    this.#committing = false;
    if (this.stalled) events.resumed();
    this.#attempts = 0;
    part?.committed();
    if (record !== undefined) {
      events.committed(record.count);
      if (!this.#options.live(record)) this.spill(record);
    }
    for (const completion of sealed.durable) completion.complete();
    // Without a reading of its own the group has only duplicates of what is durable already.
    for (const completion of sealed.stored) completion.complete();
  }

  /** The commit failed: after so many ms it is to begin again. */
  failed(cause: unknown): number {
    this.#committing = false;
    if (isNoSpace(cause)) this.#options.pressure?.raise();
    if (!this.stalled) this.#options.events.stalled(stallReason(cause), messageOf(cause));
    return Math.min(retryMaxMs, retryMinMs * 2 ** Math.min(this.#attempts++, 10));
  }

  /** The writer cannot hold the record: it is read again from the disk when its turn comes. */
  spill(record: SpoolRecord): void {
    const { sequence, again, count } = record;
    this.#custody.leave(sequence);
    const segment = this.#log.segmentOf(sequence);
    if (segment === undefined) this.#custody.forget(sequence, sequence + 1);
    else this.#waiters.leave(sequence, record.stored);
    if (again) return;
    if (segment === undefined) {
      this.#options.events.lost("dropped", count);
      for (const completion of record.stored) completion.complete();
    } else this.#retention.count(segment, count);
  }

  /** Reads the next records of the backlog; see {@linkcode ReplayReader.read}. */
  read(bytesMax: number): Promise<SpoolRecord[]> {
    return this.#replay.read(bytesMax);
  }

  /** Every reading of the record is in the store, or is a durable dead letter. */
  delivered(record: SpoolRecord): void {
    const nowMs = this.#options.clock.monotonic();
    if (!this.#custody.delivered(record.sequence, nowMs)) return;
    for (const completion of record.stored) completion.complete();
    this.#recovered.stored(this.#custody.firstOwed);
  }

  /**
   * Completes when the store has all that recovery found of a device. False when it has it already,
   * or nothing was found.
   */
  recoveredStored(deviceId: string, completion: Completion): boolean {
    return this.#recovered.wait(deviceId, this.#custody.firstOwed, completion);
  }

  /** The store answered. */
  storeSeen(): void {
    this.#custody.kept.seen(this.#options.clock.monotonic());
  }

  /** The store did not answer. */
  storeDoubted(): void {
    this.#custody.kept.doubt();
  }

  /** The store was away and is back: what it may have forgotten goes to the replay. */
  storeLost(): void {
    this.#custody.kept.doubt();
    this.#custody.rewriteKept();
  }

  /** Deletes what nobody needs, keeps the age limit, and notes how far the store has come. */
  sweep(): void {
    if (this.#options.pressure?.take()) this.#retention.dropKept(this.#inUse);
    this.#tidy();
  }

  get #inUse(): Segment | undefined {
    return this.#committing ? this.#log.active : undefined;
  }

  #tidy(): void {
    this.#retention.sweep(this.#inUse);
    if (this.#options.whenFull === "drop_oldest" && !this.#committing) this.#retention.dropAged();
    this.#recovered.stored(this.#custody.firstOwed); // What was dropped is waited for no more.
    const end = this.#committing ? this.#endBefore : this.#log.nextSequence;
    try {
      this.#progress.save(this.#custody.firstNeeded ?? end);
    } catch (cause) {
      this.#options.events.trouble("write the spool's checkpoint", cause);
    }
  }

  /** Ends it; what is on the disk is taken up by the next start. */
  close(): void {
    this.#tidy();
    this.#replay.close();
    this.#log.close();
  }

  #seal(): Sealed {
    const { durable, stored, count } = this.group;
    const record = count === 0 ? undefined : sealGroup(this.group, this.#options.clock.now());
    if (record === undefined) this.group.reset();
    return { record, durable, stored: record === undefined ? stored : [], written: false };
  }

  async #commit(sealed: Sealed): Promise<void> {
    for (let dropped = false;; dropped = true) {
      // Both must have ended before either is tried again.
      const results = await Promise.allSettled([this.#write(sealed), this.#options.part?.commit()]);
      const failed = results.find((result) => result.status === "rejected");
      if (failed === undefined) return;
      const inUse = sealed.written ? this.#log.active : undefined;
      // One in each try: some file systems tell of the room of a deleted file only later.
      const mayDrop = !dropped && isNoSpace(failed.reason);
      if (!mayDrop || !this.#retention.dropForRoom(inUse)) throw failed.reason;
    }
  }

  async #write(sealed: Sealed): Promise<void> {
    const { record } = sealed;
    if (record === undefined || sealed.written) return this.#appender.appendRemains();
    record.sequence = await this.#appender.append(record);
    sealed.written = true;
    this.#custody.hand(record.sequence);
    this.#progress.note(record.sequence, record.count, this.#options.clock.monotonic());
    const { rememberedUpToMs, time } = this.#options;
    if (rememberedUpToMs) this.#remains.note(record, record.sequence, time.of(record.committedMs));
  }
}

function stallReason(cause: unknown): "full" | "no_space" | "failed" {
  if (cause instanceof SpoolFullError) return "full";
  return isNoSpace(cause) ? "no_space" : "failed";
}
