/**
 * Times of the embedded store as text, exact to the nanosecond.
 *
 * @module
 */
import { TimestampReader } from "../../actors/timestamp.ts";

const nsPerMs = 1_000_000n;
const nsPerSecond = 1_000_000_000n;

/** `1574729660000000001n` → `2019-11-26T00:54:20.000000001Z` (RFC 3339). */
export function formatTime(ns: bigint): string {
  const inSecond = ((ns % nsPerSecond) + nsPerSecond) % nsPerSecond;
  const second = new Date(Number((ns - inSecond) / nsPerMs)).toISOString().slice(0, -5);
  return `${second}.${String(inSecond).padStart(9, "0")}Z`;
}

/**
 * A time in a query, read as a route without a format reads it: RFC 3339 with a zone, or a number
 * whose unit follows from its size. `undefined` when it is neither, or does not fit.
 */
export function parseTime(text: string): bigint | undefined {
  const reader = new TimestampReader();
  const bytes = new TextEncoder().encode(text);
  return reader.read(bytes, 0, bytes.length, "auto") === "read"
    ? BigInt(reader.ms) * nsPerMs + BigInt(reader.ns)
    : undefined;
}
