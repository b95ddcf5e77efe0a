/**
 * Keys that an object of the configuration file has twice. `JSON.parse` takes the last of them and
 * says nothing, so a value that somebody set would be without effect.
 *
 * @module
 */
import { visit } from "jsonc-parser";
import { pathText } from "./problems.ts";

/**
 * One sentence for each repetition, in the file's order.
 *
 * @param text JSON that `JSON.parse` takes; of other text nothing is promised.
 *
 * @example
 * ```ts
 * import { repeatedKeys } from "./repeated_keys.ts";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(repeatedKeys('{"spool":\n{"keepMs": 1,\n"keepMs": 2}}'), [
 *   "spool.keepMs: is there twice, in line 2 and in line 3; keep one",
 * ]);
 * ```
 */
export function repeatedKeys(text: string): string[] {
  const problems: string[] = [];
  /** The lines of the keys of the objects that are open, outermost first. */
  const open: Map<string, number>[] = [];
  visit(text, {
    onObjectBegin: () => {
      open.push(new Map());
    },
    onObjectEnd: () => {
      open.pop();
    },
    onObjectProperty: (key, _offset, _length, startLine, _character, pathSupplier) => {
      const lines = open.at(-1);
      const line = startLine + 1;
      const before = lines?.get(key);
      if (before !== undefined) {
        const path = pathText([...pathSupplier().map(String), key]);
        const where = before === line
          ? `both in line ${line}`
          : `in line ${before} and in line ${line}`;
        problems.push(`${path}: is there twice, ${where}; keep one`);
      }
      lines?.set(key, line);
    },
  });
  return problems;
}
