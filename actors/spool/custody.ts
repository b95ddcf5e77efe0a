/**
 * Who holds each committed record: it waits on the disk to be read for the writer, or is with the
 * writer, or is kept for a while after the store said yes. What nobody holds may be deleted.
 *
 * @module
 */
import { KeepWindow } from "./keep_window.ts";
import { SequenceRanges } from "../segment_log/sequence_ranges.ts";

/** Records by sequence; ranges are half open. Times are monotonic ms. */
export class Custody {
  readonly kept: KeepWindow;
  readonly #waiting = new SequenceRanges();
  readonly #out = new SequenceRanges();
  /** Of the two above, those that the store had said yes to before. */
  readonly #again = new SequenceRanges();

  constructor(keepMs: number) {
    this.kept = new KeepWindow(keepMs);
  }

  /** The record goes to the writer. */
  hand(sequence: number): void {
    this.#waiting.remove(sequence);
    this.#out.add(sequence);
  }

  /** The record is left on, or goes back to, the disk until its turn in the replay. */
  leave(sequence: number): void {
    this.#out.remove(sequence);
    this.#waiting.add(sequence);
  }

  /** The store has it. Answers whether the record was with the writer. */
  delivered(sequence: number, nowMs: number): boolean {
    if (!this.#out.has(sequence)) return false;
    this.#out.remove(sequence);
    this.#again.remove(sequence);
    this.kept.add(sequence, nowMs);
    return true;
  }

  /** The store may have forgotten what is kept: it is to be written again. */
  rewriteKept(): void {
    const forgotten = this.kept.take();
    this.#again.addAll(forgotten);
    this.#waiting.addAll(forgotten);
  }

  /** The records of `[start, end)` are gone from the disk. */
  forget(start: number, end: number): void {
    this.#waiting.remove(start, end);
    this.kept.drop(start, end);
    this.#again.remove(start, end);
  }

  /** The store said yes to this record before: counted once already. */
  isAgain(sequence: number): boolean {
    return this.#again.has(sequence);
  }

  isWaiting(sequence: number): boolean {
    return this.#waiting.has(sequence);
  }

  /** Next record to read for the replay. */
  get nextWaiting(): number | undefined {
    return this.#waiting.first;
  }

  /** Some of `[start, end)` is not in the store yet. */
  owes(start: number, end: number): boolean {
    return this.#waiting.intersects(start, end) || this.#out.intersects(start, end);
  }

  /** Some of `[start, end)` must stay on the disk. */
  needs(start: number, end: number): boolean {
    return this.owes(start, end) || this.kept.intersects(start, end);
  }

  /** The first record that is not in the store yet. */
  get firstOwed(): number | undefined {
    return smallest(this.#waiting.first, this.#out.first);
  }

  /** The first record that must stay on the disk. */
  get firstNeeded(): number | undefined {
    return smallest(this.firstOwed, this.kept.first);
  }
}

function smallest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || (b !== undefined && b < a) ? b : a;
}
