/**
 * Text of strangers in one line of a log.
 *
 * @module
 */

/**
 * What could end a line, move the cursor, or show text in another order than it has: controls,
 * line and paragraph separators, bidirectional overrides; and the backslash, so that what is
 * escaped can be told from what looked so before.
 */
// deno-fmt-ignore
const unsafe = /[\\\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\p{Cs}]/gu;

/** Those of them that JSON leaves in a string as they are. */
const unsafeInJson = /[\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

const short: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

/**
 * The text without anything that could forge or disturb a line.
 *
 * @example
 * ```ts
 * import { oneLine } from "./escape.ts";
 * import assert from "node:assert/strict";
 *
 * assert.equal(oneLine("a\nb\u001b[2J"), "a\\nb\\u{1b}[2J");
 * ```
 */
export function oneLine(text: string): string {
  return text.replace(
    unsafe,
    (char) => short[char] ?? `\\u{${char.codePointAt(0)!.toString(16)}}`,
  );
}

/** The same for JSON, whose meaning it keeps. */
export function oneLineJson(json: string): string {
  return json.replace(
    unsafeInJson,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
