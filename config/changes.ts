/**
 * Which options differ between two configurations.
 *
 * @module
 */
import type { Config } from "./options.ts";

type Section = { readonly [key: string]: unknown };
const isSection = (value: unknown): value is Section =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Paths of the options whose values differ, never the values.
 *
 * @example
 * ```ts
 * import { changedOptions } from "./changes.ts";
 * import { parseConfig } from "../config.ts";
 * import assert from "node:assert/strict";
 *
 * const before = (await parseConfig({ shards: 2 })).config;
 * const after = (await parseConfig({ shards: 3, mqtt: { receiveMaximum: 5 } })).config;
 * assert.deepEqual(changedOptions(before, after), ["mqtt.receiveMaximum", "shards"]);
 * ```
 */
export function changedOptions(before: Config, after: Config): string[] {
  return [...changes(before, after, "")].sort();
}

function* changes(before: Section, after: Section, path: string): Generator<string> {
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [one, other] = [before[key], after[key]];
    if (isSection(one) && isSection(other)) yield* changes(one, other, `${path}${key}.`);
    else if (JSON.stringify(one) !== JSON.stringify(other)) yield `${path}${key}`;
  }
}
