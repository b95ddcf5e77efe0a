/**
 * Reads a spool that nobody has open, and leaves it as it is: what is torn or damaged is passed
 * over, the next who opens it says so.
 *
 * @module
 */
import type { Files } from "../segment_log/files.ts";
import { FrameReader } from "../segment_log/frame_reader.ts";
import { parseSegmentName } from "../segment_log/segment.ts";
import { readRecord, type SpoolRecord } from "./record.ts";

export interface SpoolScan {
  readonly files: Files;
  readonly directory: string;
  /** Salts of segments that are left out. */
  readonly without: ReadonlySet<number>;
  /**
   * Sees every record, whether the store has it or not; its bytes are valid during the call only.
   * False ends the scan.
   */
  visit(record: SpoolRecord): boolean;
}

/** Salts of the segments of a spool. Throws what the disk does. */
export function saltsOf(files: Files, directory: string): number[] {
  return files.list(directory).files.flatMap((name) => parseSegmentName(name)?.salt ?? []);
}

/** Oldest record first. Gives whether it came to the end. Throws what the disk does. */
export async function scanSpool(
  { files, directory, without, visit }: SpoolScan,
): Promise<boolean> {
  for (const name of files.list(directory).files) {
    const segment = parseSegmentName(name);
    if (segment === undefined || without.has(segment.salt)) continue;
    const file = files.open(`${directory}/${name}`);
    try {
      const reader = new FrameReader(file, segment.salt);
      for (let frame; (frame = await reader.next()) !== undefined;) {
        const record = readRecord(frame);
        if (record !== undefined && !visit(record)) return false;
      }
    } finally {
      file.close();
    }
  }
  return true;
}
