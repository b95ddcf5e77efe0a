/**
 * One batch on its way into the store, down to the last bad line. A pure state machine: it says what
 * to write next, and what became of each reading; it never asks for the same set of readings again
 * after the store refused it.
 *
 * @module
 */
import type { SpoolRecord } from "../spool/record.ts";
import { halve, type Piece } from "./piece.ts";

/** Told of each reading once. */
export interface DeliveryOutcome {
  /** The store has these readings. */
  stored(record: SpoolRecord, readings: number): void;
  /** The store refuses a line. The reading it belongs to is told by `refused`. */
  refusedLine(line: Piece, word: RefusalWord, detail: string): void;
  /** A reading of which at least one line was refused; the others are stored. */
  refused(record: SpoolRecord, word: RefusalWord): void;
}

/** Stable words for metrics and dead letters. */
export type RefusalWord = "store_rejected" | "store_too_large";

/** See the module. Done when `next` is `undefined`. */
export class Delivery {
  /** What is still to be written; the last is next. */
  readonly #stack: (readonly Piece[])[];
  readonly #outcome: DeliveryOutcome;
  /** The one reading whose lines are told apart now: parts to go, and why it was refused. */
  #parts = 0;
  #refusal: RefusalWord | undefined;

  constructor(pieces: readonly Piece[], outcome: DeliveryOutcome) {
    this.#stack = pieces.length === 0 ? [] : [pieces];
    this.#outcome = outcome;
  }

  /** What to write next. */
  get next(): readonly Piece[] | undefined {
    return this.#stack.at(-1);
  }

  /** Sends less at once: halves what is next by readings. False when it is one reading. */
  lighten(): boolean {
    const pieces = this.#stack.at(-1)!;
    const halves = pieces.length > 1 || pieces[0]!.count > 1 ? halve(pieces) : undefined;
    if (halves === undefined) return false;
    this.#stack.splice(-1, 1, halves[1], halves[0]);
    return true;
  }

  /** The store took what was next. */
  stored(): void {
    const pieces = this.#stack.pop()!;
    if (this.#parts > 0) return this.#endPart(pieces[0]!.record);
    for (const { record, count } of pieces) this.#outcome.stored(record, count);
  }

  /** The store refused what was next, or some of it: halves it, or gives up its last line. */
  refused(word: RefusalWord, detail: string): void {
    const pieces = this.#stack.pop()!;
    const halves = halve(pieces);
    const [piece] = pieces;
    if (halves === undefined) {
      this.#refusal = word;
      this.#outcome.refusedLine(piece!, word, detail);
      return this.#endPart(piece!.record);
    }
    if (pieces.length === 1 && piece!.count === 1) this.#parts += this.#parts === 0 ? 2 : 1;
    this.#stack.push(halves[1], halves[0]);
  }

  /** A part of a reading, or a reading of one line, is through. */
  #endPart(record: SpoolRecord): void {
    if (this.#parts > 0) this.#parts--;
    if (this.#parts > 0) return;
    const refusal = this.#refusal;
    this.#refusal = undefined;
    if (refusal === undefined) this.#outcome.stored(record, 1);
    else this.#outcome.refused(record, refusal);
  }
}
