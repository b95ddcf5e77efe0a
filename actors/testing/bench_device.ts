/**
 * What the benches of devices share: their route, a way out that takes points only, and payloads
 * whose time goes on.
 *
 * @module
 */
import { LineBuffer } from "../line_buffer.ts";
import type { DeviceOutlet } from "../reading.ts";

/** The benches' route, as its configuration. */
export const benchRoute = {
  name: "bench",
  topic: "bench/{device}",
  measurement: "bench",
  tags: { device: "{device}" },
  timestamp: { key: "ts" },
} as const;

/** Points go into the lines, which begin anew; whatever else becomes of a reading is a mistake. */
export function pointsOnly(lines = new LineBuffer()): DeviceOutlet {
  return {
    lines: () => lines,
    points: () => lines.length = 0,
    duplicate: () => unexpected("duplicate"),
    refused: () => unexpected("refused"),
    dead: () => unexpected("dead"),
  };
}

function unexpected(fate: string): never {
  throw new Error(`the bench's reading is ${fate}`);
}

/** Counts the time at the end of the payload up in place, so that no reading is a duplicate. */
export function countUp(payload: Uint8Array): void {
  let at = payload.length - 2;
  while (payload[at] === 0x39) payload[at--] = 0x30;
  payload[at]!++;
}
