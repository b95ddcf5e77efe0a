/**
 * Prepared statements that are used again. A statement that is let go of is freed when V8 collects
 * its wrapper, and V8 does not know that it takes kilobytes: whoever prepares a thousand for each
 * query holds hundreds of MB of them.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";

/** See the module. */
export class StatementPool {
  readonly #database: Pick<DatabaseSync, "prepare">;
  readonly #keptMax: number;
  /** Those that nobody uses, by their text; the text that was given back last is at the end. */
  readonly #kept = new Map<string, StatementSync[]>();
  #count = 0;

  /** Of those that nobody uses, `keptMax` are kept. */
  constructor(database: Pick<DatabaseSync, "prepare">, keptMax: number) {
    this.#database = database;
    this.#keptMax = keptMax;
  }

  /** How many nobody uses. */
  get count(): number {
    return this.#count;
  }

  /** A statement of this text, for the caller alone until it is given back. */
  take(text: string): StatementSync {
    const statement = this.#kept.get(text)?.pop();
    if (statement === undefined) return this.#database.prepare(text);
    this.#count--;
    return statement;
  }

  /** Its iterator must be at its end, or returned. */
  give(text: string, statement: StatementSync): void {
    const same = this.#kept.get(text) ?? [];
    this.#kept.delete(text);
    this.#kept.set(text, same);
    same.push(statement);
    this.#count++;
    if (this.#count > this.#keptMax) this.#forgetOne();
  }

  #forgetOne(): void {
    for (const [text, statements] of this.#kept) {
      if (statements.pop() !== undefined) {
        this.#count--;
        return;
      }
      this.#kept.delete(text);
    }
  }
}
