/**
 * Reads the times that stores answer with, down to the ns.
 *
 * @module
 */

const form = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/;

/** Turns RFC 3339 in UTC into ns since an origin; keeps the last second, since times come in order. */
export class TimeReader {
  readonly #originMs: number;
  #second = "";
  #secondNs = 0;

  constructor(originMs: number) {
    this.#originMs = originMs;
  }

  /** Throws a `SyntaxError` for anything else. */
  ns(text: string): number {
    const match = form.exec(text);
    if (match === null) throw new SyntaxError(`${JSON.stringify(text)} is not a time in UTC`);
    const [, second = "", fraction = ""] = match;
    if (second !== this.#second) {
      this.#secondNs = (Date.parse(`${second}Z`) - this.#originMs) * 1e6;
      this.#second = second;
    }
    return this.#secondNs + Number(fraction.padEnd(9, "0"));
  }
}
