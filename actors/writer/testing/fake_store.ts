/**
 * A store for tests of the writer: keeps lines, refuses those with a `!`, and can be told to be
 * away, to be slow, to forget.
 *
 * @module
 */
import type { PointBatch, SinkResult } from "../../sink.ts";
import { textOf } from "./records.ts";

/** See the module. */
export class FakeStore {
  readonly lines = new Map<string, number>();
  /** What it answers instead of storing. */
  answer: SinkResult | undefined;
  /** Bytes that one write may hold. */
  bytesMax = Infinity;
  writes = 0;

  write(batches: readonly PointBatch[]): SinkResult {
    this.writes++;
    if (this.answer !== undefined) return this.answer;
    const text = textOf(batches);
    if (text.length > this.bytesMax) return { kind: "too_large", reason: "413" };
    const lines = text.split("\n").slice(0, -1);
    const good = lines.filter((line) => !line.includes("!"));
    for (const line of good) this.lines.set(line, (this.lines.get(line) ?? 0) + 1);
    return good.length === lines.length
      ? { kind: "stored" }
      : { kind: "rejected", reason: "400: bad line", partial: true };
  }
}
