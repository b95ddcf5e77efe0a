/**
 * Reads a spool that nobody has open, and leaves it as it is: what is torn or damaged is passed
 * over, the next who opens it says so.
 *
 * @module
 */
import type { Files } from "../segment_log/files.ts";
import { FrameReader } from "../segment_log/frame_reader.ts";
import { parseSegmentName } from "../segment_log/segment.ts";
import { readingsKind, SpoolRecord } from "./record.ts";

export interface SpoolScan {
  readonly files: Files;
  readonly directory: string;
  /** Salts of segments that are left out. */
  readonly without: ReadonlySet<number>;
  /** Sees every record, whether the store has it or not; its bytes are valid during the call only. */
  visit(record: SpoolRecord): void;
}

/** Oldest record first. Gives the salts of all segments. Throws what the disk does. */
export async function scanSpool(
  { files, directory, without, visit }: SpoolScan,
): Promise<number[]> {
  const salts: number[] = [];
  for (const name of files.list(directory).files) {
    const segment = parseSegmentName(name);
    if (segment === undefined) continue;
    salts.push(segment.salt);
    if (without.has(segment.salt)) continue;
    const file = files.open(`${directory}/${name}`);
    try {
      const reader = new FrameReader(file, segment.salt);
      for (let frame; (frame = await reader.next()) !== undefined;) {
        if (frame.kind === readingsKind) visit(new SpoolRecord(frame.bytes, frame.count));
      }
    } finally {
      file.close();
    }
  }
  return salts;
}
