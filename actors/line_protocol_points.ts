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
const valueKey = ascii.encode("value=");
const space = 0x20;
const comma = 0x2c;
const newline = 0x0a;
const hash = 0x23;
const backslash = 0x5c;

/** What a time and the bytes between the parts of a line need at most. */
const restBytes = 32;

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
  const perField = entry.route.afterMetric !== undefined;
  for (let i = 0; i < fields.count; i++) {
    const { key, metric } = fields.names[i]!;
    if (i === 0 || perField) {
      lines.reserve(tailEnd - headStart + metric.length + restBytes);
      copy(lines, bytes, headStart, headEnd);
      if (perField) {
        // At the start of a line a # would make it a comment.
        if (headStart === headEnd && metric[0] === hash) lines.push(backslash);
        copy(lines, metric, 0, metric.length);
      }
      copy(lines, bytes, headEnd, tailEnd);
      if (tags !== "") lines.appendText(tags);
    }
    const from = fields.from[i]!;
    const to = fields.to[i]!;
    lines.reserve(key.length + to - from + restBytes);
    lines.bytes[lines.length++] = i === 0 || perField ? space : comma;
    const name = perField ? valueKey : key;
    copy(lines, name, 0, name.length);
    if (from < 0) lines.appendText(fields.texts[i]!);
    else copy(lines, data, from, to);
    if (perField || i === fields.count - 1) {
      lines.push(space);
      appendTime(lines, ms, ns);
      lines.push(newline);
    }
  }
}

/** Appends where room was made. The runs are short: a loop beats a native copy. */
function copy(lines: LineBuffer, from: Uint8Array, start: number, end: number): void {
  const { bytes } = lines;
  let at = lines.length;
  for (let i = start; i < end; i++) bytes[at++] = from[i]!;
  lines.length = at;
}
