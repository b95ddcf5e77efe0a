/**
 * The log of the data flow (contracts §6): for each message its topic, its time, and what it
 * becomes. Made only when it is switched on; nothing on the path looks for it otherwise.
 *
 * @module
 */
import type { PayloadDecoder } from "../actors/decode.ts";
import type { CodePoint } from "../actors/device_code.ts";
import type { Reading } from "../actors/reading.ts";
import {
  type DataFlow,
  dataFlowLines,
  type FlowPoints,
  pointLines,
  receivedLine,
} from "../gateways/log/data_flow.ts";
import type { LineWriter } from "../gateways/log/line_writer.ts";

const utf8 = new TextDecoder();

/** What the path calls when the log is on. A line that cannot be written is no failure of it. */
export interface DataFlowTap {
  decoded(reading: Reading, decoder: PayloadDecoder): void;
  /** What the code of a route made of a message. */
  coded(reading: Reading, points: readonly CodePoint[]): void;
  /** A message that becomes nothing. */
  nothing(topic: string): void;
}

export function dataFlowTap(now: () => number, lines: LineWriter): DataFlowTap {
  return {
    decoded: (reading, decoder) => lines.write(dataFlowLines(now(), flowOf(reading, decoder))),
    coded: ({ entry }, points) => {
      const nowMs = now();
      const made = points.map((point) => pointLines(nowMs, flowOfPoint(entry.topic, point)));
      lines.write(receivedLine(nowMs, entry.topic) + made.join(""));
    },
    nothing: (topic) => lines.write(receivedLine(now(), topic)),
  };
}

function flowOfPoint(topic: string, { fields, time }: CodePoint): FlowPoints {
  const series = topic.replaceAll("/", ".");
  const points = Object.entries(fields).map(([name, value]): [string, string] => [
    `${series}.${name}`,
    String(value),
  ]);
  return time === undefined ? { points } : { points, timestamp: String(time) };
}

function flowOf({ batch, entry }: Reading, decoder: PayloadDecoder): DataFlow {
  const { fields, hasTime, timeFrom, timeTo } = decoder;
  const text = (from: number, to: number) => utf8.decode(batch.data.subarray(from, to));
  const series = entry.topic.replaceAll("/", ".");
  const points: [string, string][] = [];
  for (let i = 0; i < fields.count; i++) {
    const from = fields.from[i]!;
    const value = from < 0 ? fields.texts[i]! : text(from, fields.to[i]!);
    points.push([`${series}.${fields.names[i]!.name}`, value]);
  }
  const flow = { topic: entry.topic, points };
  return hasTime ? { ...flow, timestamp: text(timeFrom, timeTo) } : flow;
}
