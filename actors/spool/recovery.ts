/**
 * Opens the directory of a spool and takes up what is in it: which records the store may not have,
 * and what duplicate windows are rebuilt from.
 *
 * @module
 */
import { type RecoveryReport, SegmentLog } from "../segment_log/segment_log.ts";
import { adoptSegments } from "./adoption.ts";
import { type Checkpoint, isDone, readCheckpoint } from "./checkpoint.ts";
import { Custody } from "./custody.ts";
import { readingsKind, readRecord, remainsKind, type SpoolRecord } from "./record.ts";
import { RecoveredOwed } from "./recovered_owed.ts";
import { Remains, remainsBytesMax } from "./remains.ts";
import type { SpoolOptions } from "./spool_options.ts";

const segmentBytesDefault = 64 * 1024 * 1024;

/** What a spool goes on with. */
export interface Recovery {
  readonly log: SegmentLog;
  /** Has left each record that the store may not have to the replay. */
  readonly custody: Custody;
  /** By segment number: readings in the backlog. */
  readonly waiting: Map<number, number>;
  readonly checkpoint: Checkpoint;
  readonly owed: RecoveredOwed;
  readonly remains: Remains;
  /** `pending`: readings in the backlog. */
  readonly report: RecoveryReport & { readonly pending: number };
}

/**
 * Every record but those of `told` is shown to `recovered`; its bytes are valid during the call only.
 * Rejects when the directory cannot be used.
 */
export async function recover(
  options: SpoolOptions,
  recovered: (record: SpoolRecord) => void,
): Promise<Recovery> {
  const { files, directory, time, segmentBytes = segmentBytesDefault } = options;
  if (options.bytesMax < segmentBytes * 2) {
    throw new RangeError(
      `Cannot bound a spool to ${options.bytesMax} bytes with segments of ${segmentBytes}: ` +
        `at least two must fit`,
    );
  }
  files.makeDirectory(directory);
  const checkpoint = await readCheckpoint(files, directory);
  const firstNumber = checkpoint.segment + 1;
  for (const orphan of options.orphans ?? []) {
    await adoptSegments(files, orphan, directory, firstNumber);
  }
  const custody = new Custody(options.keepMs);
  const waiting = new Map<number, number>();
  const owed = new RecoveredOwed(options.owedElsewhere);
  // At most half of a segment goes on into the next one.
  const remains = new Remains(Math.min(remainsBytesMax, segmentBytes / 2));
  let pending = 0;
  const now = () => time.now();
  const { random32 } = options;
  const { log, report } = await SegmentLog.open(
    { files, directory, segmentBytes, firstNumber, now, random32 },
    (frame, sequence, segment) => {
      const record = readRecord(frame);
      if (record === undefined) return;
      const committedMs = time.of(record.committedMs);
      if (frame.index === 0) segment.firstMs = committedMs;
      // What remains of others is older than the readings before it.
      if (frame.index === 0 || frame.kind === readingsKind) segment.lastMs = committedMs;
      if (!options.told?.has(segment.salt)) {
        recovered(record);
        if (options.rememberedUpToMs !== undefined) remains.note(record, sequence, committedMs);
      }
      if (frame.kind === remainsKind) return;
      if (isDone(checkpoint, segment.number, frame.before + frame.count)) return;
      record.sequence = sequence;
      custody.leave(sequence);
      owed.found(record);
      waiting.set(segment.number, (waiting.get(segment.number) ?? 0) + frame.count);
      pending += frame.count;
    },
  );
  owed.foundAll();
  return { log, custody, waiting, checkpoint, owed, remains, report: { ...report, pending } };
}
