/**
 * Rules for the text MQTT carries, checked on its bytes so that a PUBLISH needs no string.
 *
 * @module
 */
import { isFilter } from "../topic_filter.ts";

const plus = 0x2b;
const hash = 0x23;

/** Whether `bytes[start..end)` is well-formed UTF-8 without U+0000 [MQTT-1.5.4-1], [MQTT-1.5.4-2]. */
export function isText(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte === 0) return false;
    if (byte >= 0x80) return isUtf8(bytes, i, end) && bytes.subarray(i, end).indexOf(0) < 0;
  }
  return true;
}

/** Whether the bytes name a topic: text, not empty, no wildcard [MQTT-3.3.2-2], [MQTT-4.7.3-1]. */
export function isTopicName(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte === 0 || byte === plus || byte === hash) return false;
    if (byte >= 0x80) return isText(bytes, i, end) && !hasWildcard(bytes, i, end);
  }
  return end > start;
}

/**
 * Whether `filter` may be subscribed to: `+` and `#` stand alone in their level and `#` comes last
 * [MQTT-4.7.1-1], [MQTT-4.7.1-2]; a shared one names its group [MQTT-4.8.2-1], [MQTT-4.8.2-2].
 */
export function isTopicFilter(filter: string): boolean {
  if (filter !== "$share" && !filter.startsWith("$share/")) return isFilter(filter);
  const shared = /^\$share\/[^+#/]+\/(.*)$/s.exec(filter)?.[1];
  return shared !== undefined && isFilter(shared);
}

/** More arguments than a call should have. */
const asciiCharsMax = 256;

/**
 * The bytes as text when they are ASCII without NUL, and not too many; a fifth of what a
 * `TextDecoder` takes for a short one.
 */
export function asciiText(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (end - start > asciiCharsMax) return undefined;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte === 0 || byte >= 0x80) return undefined;
  }
  return String.fromCharCode.apply(undefined, bytes.subarray(start, end) as unknown as number[]);
}

function hasWildcard(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    if (bytes[i] === plus || bytes[i] === hash) return true;
  }
  return false;
}

/** Well-formed UTF-8 by Unicode's table 3-7: no overlong form, no surrogate, nothing above U+10FFFF. */
function isUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  let i = start;
  while (i < end) {
    const lead = bytes[i]!;
    if (lead < 0x80) {
      i++;
      continue;
    }
    if (lead < 0xc2 || lead > 0xf4) return false;
    const last = i + (lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3);
    if (last >= end) return false;
    const second = bytes[i + 1]!;
    if (second < (lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80)) return false;
    if (second > (lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf)) return false;
    for (let k = i + 2; k <= last; k++) {
      if ((bytes[k]! & 0xc0) !== 0x80) return false;
    }
    i = last + 1;
  }
  return true;
}
