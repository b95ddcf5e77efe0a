/**
 * A spool on a file system in memory with a manual clock, and the readings that went through it.
 *
 * @module
 */
import { ManualClock } from "../../../runtime/clock.ts";
import { SteadyTime } from "../../../runtime/steady_time.ts";
import type { MemoryFiles } from "../../segment_log/testing/memory_files.ts";
import type { RecoveryReport } from "../../segment_log/segment_log.ts";
import type { SpoolRecord } from "../record.ts";
import { Spool } from "../spool.ts";
import type { SpoolOptions } from "../spool_options.ts";

/** A spool, and what it told. */
export interface TestSpool {
  readonly spool: Spool;
  readonly report: RecoveryReport & { readonly pending: number };
  readonly told: string[];
  /** Records that were offered to the writer. */
  readonly live: SpoolRecord[];
  /** Lines that were found at start. */
  readonly recovered: readonly string[];
  /** Low halves of the fingerprints that were found at start. */
  readonly known: readonly number[];
  readonly files: MemoryFiles;
}

/** Opens a spool for a test. */
export async function openTestSpool(
  files: MemoryFiles,
  changes: Partial<SpoolOptions> = {},
  clock: ManualClock = new ManualClock(),
): Promise<TestSpool> {
  const told: string[] = [];
  const live: SpoolRecord[] = [];
  const recovered: string[] = [];
  const known: number[] = [];
  let salt = 0;
  const options: SpoolOptions = {
    files,
    clock,
    time: new SteadyTime(clock),
    directory: "spool",
    segmentBytes: 1_000,
    bytesMax: 10_000,
    keepMs: 30_000,
    random32: () => salt += 7919,
    events: {
      committed: (readings) => told.push(`committed ${readings}`),
      lost: (reason, readings) => told.push(`lost ${reason} ${readings}`),
      stalled: (reason) => told.push(`stalled ${reason}`),
      resumed: () => told.push("resumed"),
      trouble: (action) => told.push(`trouble ${action}`),
    },
    live: (record) => live.push(record) > 0,
    ...changes,
  };
  const { spool, report } = await Spool.open(
    options,
    (record) => {
      recovered.push(...linesOf(record));
      known.push(...record.fingerprintLo);
    },
  );
  return { spool, report, told, live, recovered, known, files };
}

/** Its readings as text, one line each. */
export function linesOf(record: { readonly lines: Uint8Array }): string[] {
  return new TextDecoder().decode(record.lines).split("\n").slice(0, -1);
}

const devices = new WeakMap<Spool, { id: string; groupNo: number; slot: number }>();

/** Adds a reading of one line to the open group. */
export function addReading(spool: Spool, line: string): void {
  let device = devices.get(spool);
  if (device === undefined) {
    device = { id: "RPi_1", groupNo: 0, slot: 0 };
    devices.set(spool, device);
  }
  spool.group.lines.appendText(`${line}\n`);
  spool.group.add(device, 0xfeed, line.length);
}

/** Commits what has gathered; true when it is durable, else how many ms to wait. */
export async function commitOnce(spool: Spool): Promise<true | number> {
  const promise = spool.begin();
  if (promise === undefined) return true;
  try {
    await promise;
  } catch (cause) {
    return spool.failed(cause);
  }
  spool.end();
  return true;
}
