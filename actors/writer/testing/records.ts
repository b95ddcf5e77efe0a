/**
 * Committed records for tests of the writer.
 *
 * @module
 */
import type { PointBatch } from "../../sink.ts";
import { CommitGroup, type Completion } from "../../spool/commit_group.ts";
import { sealGroup, type SpoolRecord } from "../../spool/record.ts";

let nextSequence = 0;

/** A record of readings with the given lines; a line `x` of device `d` is written `d:x`. */
export function recordOf(
  readings: readonly (readonly string[])[],
  stored: readonly Completion[] = [],
): SpoolRecord {
  const group = new CommitGroup();
  const keys = new Map<string, { id: string; groupNo: number; slot: number }>();
  for (const lines of readings) {
    const id = lines[0]?.split(":")[0] ?? "";
    const device = keys.get(id) ?? { id, groupNo: 0, slot: 0 };
    keys.set(id, device);
    for (const line of lines) group.lines.appendText(`${line}\n`);
    group.add(device, 0, 0);
  }
  group.stored.push(...stored);
  const record = sealGroup(group, 0);
  record.sequence = nextSequence++;
  return record;
}

/** The lines of batches, end to end. */
export function textOf(batches: readonly PointBatch[]): string {
  return batches.map(({ lines }) => new TextDecoder().decode(lines)).join("");
}
