/**
 * Writes the points of a decoded reading: the parts that the topic decides were encoded once, the
 * numbers are copied from the payload as they stand there.
 *
 * @module
 */
import type { PayloadDecoder } from "./decode.ts";
import type { LineBuffer } from "./line_buffer.ts";
import { appendTime } from "./line_protocol.ts";
import type { TopicEntry } from "./reading.ts";

const ascii = new TextEncoder();
const valueKey = ascii.encode(" value=");
const space = 0x20;
const comma = 0x2c;
const newline = 0x0a;
const hash = 0x23;
const backslash = 0x5c;

/** Appends the lines of the payload in `data` that `decoder` holds; its time is `ms` and `ns`. */
export function appendPoints(
  lines: LineBuffer,
  entry: TopicEntry,
  decoder: PayloadDecoder,
  data: Uint8Array,
  ms: number,
  ns: number,
): void {
  const { fields, tags } = decoder;
  const { bytes, headStart, headEnd, tailEnd } = entry;
  if (entry.route.afterMetric === undefined) {
    lines.append(bytes, headStart, tailEnd);
    if (tags !== "") lines.appendText(tags);
    for (let i = 0; i < fields.count; i++) {
      lines.push(i === 0 ? space : comma);
      lines.append(fields.names[i]!.key);
      appendValue(lines, decoder, data, i);
    }
    lines.push(space);
    appendTime(lines, ms, ns);
    lines.push(newline);
    return;
  }
  for (let i = 0; i < fields.count; i++) {
    const { metric } = fields.names[i]!;
    lines.append(bytes, headStart, headEnd);
    // At the start of a line a # would make it a comment.
    if (headStart === headEnd && metric[0] === hash) lines.push(backslash);
    lines.append(metric);
    lines.append(bytes, headEnd, tailEnd);
    if (tags !== "") lines.appendText(tags);
    lines.append(valueKey);
    appendValue(lines, decoder, data, i);
    lines.push(space);
    appendTime(lines, ms, ns);
    lines.push(newline);
  }
}

function appendValue(lines: LineBuffer, decoder: PayloadDecoder, data: Uint8Array, i: number) {
  const { fields } = decoder;
  const from = fields.from[i]!;
  if (from < 0) lines.appendText(fields.texts[i]!);
  else lines.append(data, from, fields.to[i]!);
}
