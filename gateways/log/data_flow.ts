/**
 * The lines of `DEBUG_DATA_FLOW=true`: each message with the time and the series it became.
 *
 * @module
 */
import { oneLine } from "./escape.ts";

/** Points of one time. */
export interface FlowPoints {
  /** The payload's own timestamp as it was written there; absent when the arrival time counts. */
  readonly timestamp?: string;
  /** Series name, such as `UPB.RPi_1.BAT`, and the value as the payload writes it. */
  readonly points: readonly (readonly [series: string, value: string])[];
}

/** One message as it went through. */
export interface DataFlow extends FlowPoints {
  readonly topic: string;
}

/**
 * All lines of one message, to be written in one go.
 *
 * @param nowMs wall time; the lines show it in UTC.
 *
 * @example
 * ```ts
 * import { dataFlowLines } from "./data_flow.ts";
 * import assert from "node:assert/strict";
 *
 * const lines = dataFlowLines(Date.UTC(2019, 10, 27, 18, 38, 14), {
 *   topic: "UPB/RPi_1",
 *   timestamp: "2019-11-27T20:35:57+02:00",
 *   points: [["UPB.RPi_1.BAT", "99"]],
 * });
 * assert.equal(
 *   lines,
 *   "2019-11-27 18:38:14 Received a message by topic [UPB/RPi_1]\n" +
 *     "2019-11-27 18:38:14 Data timestamp is: 2019-11-27T20:35:57+02:00\n" +
 *     "2019-11-27 18:38:14 UPB.RPi_1.BAT 99\n",
 * );
 * ```
 */
export function dataFlowLines(nowMs: number, flow: DataFlow): string {
  return receivedLine(nowMs, flow.topic) + pointLines(nowMs, flow);
}

/** The lines of points, below that of their message. */
export function pointLines(nowMs: number, { timestamp, points }: FlowPoints): string {
  const at = clockText(nowMs);
  const time = timestamp === undefined
    ? "Data timestamp is NOW"
    : `Data timestamp is: ${oneLine(timestamp)}`;
  const series = points.map(([name, value]) => `${at} ${oneLine(name)} ${oneLine(value)}\n`);
  return `${at} ${time}\n${series.join("")}`;
}

/** The line of a message that becomes nothing. */
export function receivedLine(nowMs: number, topic: string): string {
  return `${clockText(nowMs)} Received a message by topic [${oneLine(topic)}]\n`;
}

function clockText(nowMs: number): string {
  return new Date(nowMs).toISOString().slice(0, 19).replace("T", " ");
}
