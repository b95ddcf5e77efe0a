/**
 * Why a part of a body was not taken as the JSON that it should be.
 *
 * @module
 */
import { jsonFault } from "../json_fault.ts";
import type { Range } from "./json_ranges.ts";

const decoder = new TextDecoder();

/** Where it is no JSON, line and column counted from its beginning; `otherwise` when it is. */
export function whyNot(bytes: Uint8Array, { start, end }: Range, otherwise: string): string {
  const text = decoder.decode(bytes.subarray(start, end));
  try {
    JSON.parse(text);
    return otherwise;
  } catch {
    return `it is not JSON: ${jsonFault(text)}`;
  }
}
