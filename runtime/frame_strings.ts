/**
 * Numbers the strings of a frame in the order of their first appearance, as its reader does.
 *
 * @module
 */
import { internedMax } from "./frames.ts";

/** The numbers hold for one frame, and up to {@linkcode internedMax} strings have one. */
export class StringTable {
  readonly #defined: string[] = [];
  /** May hold numbers of earlier frames; one is valid only if #defined agrees. */
  readonly #numbers = new Map<string, number>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** -1 when the string did not appear in this frame. */
  numberOf(text: string): number {
    const number = this.#numbers.get(text);
    return number !== undefined && number < this.#count && this.#defined[number] === text
      ? number
      : -1;
  }

  /** Gives the string the next number, if there is one left. */
  define(text: string): void {
    if (this.#count === internedMax) return;
    this.#numbers.set(text, this.#count);
    this.#defined[this.#count++] = text;
  }

  /** Forgets the strings defined after there were `count`. */
  rewind(count: number): void {
    this.#count = count;
  }

  /** A new frame begins. Strings that never repeat must not fill the memory: start over at times. */
  restart(): void {
    this.#count = 0;
    this.#defined.length = 0;
    if (this.#numbers.size >= internedMax) this.#numbers.clear();
  }
}
