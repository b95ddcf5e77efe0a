/**
 * Point batches for the tests of the embedded store.
 *
 * @module
 */
import type { PointBatch } from "../../../actors/sink.ts";

/** One reading: its device, and its lines, each ended by a newline. */
export type ReadingLines = readonly [device: string, lines: string];

/** Packs readings as a commit group does. */
export function batchOf(readings: readonly ReadingLines[]): PointBatch {
  const devices = [...new Set(readings.map(([device]) => device))];
  const utf8 = new TextEncoder();
  const parts = readings.map(([, lines]) => utf8.encode(lines));
  let end = 0;
  const lineEnds = Uint32Array.from(parts, (part) => end += part.length);
  const lines = new Uint8Array(end);
  for (const [i, part] of parts.entries()) lines.set(part, lineEnds[i]! - part.length);
  return {
    lines,
    count: readings.length,
    lineEnds,
    deviceOf: Uint32Array.from(readings, ([device]) => devices.indexOf(device)),
    devices,
  };
}
