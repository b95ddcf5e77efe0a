/**
 * Where a text stops being JSON, and what is wrong there. `JSON.parse` tells the place of some
 * faults only, and repeats a part of the text, which may hold a password.
 *
 * @module
 */
import { type ParseErrorCode, visit } from "jsonc-parser";

/** By jsonc-parser's code. */
const faults: Readonly<Record<ParseErrorCode, string>> = {
  1: "no JSON value begins like this",
  2: "a number is not written like this",
  3: "a name in double quotes is expected",
  4: "a value is expected",
  5: "a colon is expected",
  6: "a comma is expected",
  7: "a closing } is expected",
  8: "a closing ] is expected",
  9: "the value has ended, and something follows",
  10: "JSON has no comments",
  11: "JSON has no comments",
  12: "a string does not end",
  13: "a number does not end",
  14: "\\u needs four hexadecimal digits",
  15: "a string has no such escape",
  16: "a string has no control characters: \\n, \\t or \\u00… stand for them",
};

/** The first fault found; thrown, for the rest of the text is of no interest. */
class Found extends Error {}

/**
 * Of a text that `JSON.parse` refused.
 *
 * @example
 * ```ts
 * import { jsonFault } from "./json_fault.ts";
 * import assert from "node:assert/strict";
 *
 * assert.equal(jsonFault('{"a":\n1,}'), "line 2 column 3: a name in double quotes is expected");
 * ```
 */
export function jsonFault(text: string): string {
  if (text.trim() === "") return "it is empty";
  try {
    visit(text, {
      onError: (error, _offset, _length, line, character) => {
        throw new Found(`line ${line + 1} column ${character + 1}: ${faults[error]}`);
      },
    }, { disallowComments: true, allowEmptyContent: false });
  } catch (cause) {
    if (cause instanceof Found) return cause.message;
    if (!(cause instanceof RangeError)) throw cause;
    return "it is nested too deeply";
  }
  return "it is not as RFC 8259 says";
}
