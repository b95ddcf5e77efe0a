/**
 * The file of kept sessions as a database: opened, with its tables, its statements prepared once.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { openSharedFile } from "../../sqlite/shared_file.ts";
import {
  addShareSql,
  addSharesSql,
  hasReceivedSql,
  hasShareSql,
  hasSharesSql,
  keptKind,
  keptSchema,
  takeOverReceivedSql,
} from "./kept_schema.ts";

/**
 * 512 KiB: a full disk of 2 MB is still able to empty it (1 MiB is too much). With half of it
 * commits of one message each are half as fast.
 */
const walPages = 128;
const cacheKib = 4_096;
/** A value that is a number, or `NULL` for 0. */
export const number = (value: unknown): number => Number(value ?? 0);
/** A value that is a number or `NULL`. */
export const optional = (value: unknown): number | undefined =>
  value === null ? undefined : number(value);
/** A value that is bytes or `NULL`. */
export const blob = (value: unknown): Uint8Array | undefined =>
  value instanceof Uint8Array ? value : undefined;

/** The key of a session, as a column. Deno ends a text that it reads at its NUL, which a key has. */
export const keyColumn = "CAST(key AS BLOB) AS key";
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
export const keyOf = ({ key }: Record<string, unknown>): string => utf8.decode(blob(key));

/** See the module. Every method throws what SQLite throws. */
export class KeptDatabase {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /** Opens or makes the file. `busyMs`: how long to wait while somebody else writes. */
  constructor(file: string, busyMs: number) {
    this.#database = openSharedFile(file, {
      kind: keptKind,
      busyMs,
      synchronous: "NORMAL",
      walPages,
      cacheKib,
      schema: keptSchema,
    });
    try {
      this.#changeOnce(() => !this.#finds(hasSharesSql), addSharesSql);
      this.#changeOnce(() => !this.#finds(hasShareSql), addShareSql);
      this.#changeOnce(() => this.#finds(hasReceivedSql), takeOverReceivedSql);
    } catch (cause) {
      this.#database.close();
      throw cause;
    }
  }

  close(): void {
    this.#database.close();
  }

  /** Compiles a statement, once. */
  prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      this.#statements.set(sql, statement = this.#database.prepare(sql));
    }
    return statement;
  }

  /** Runs all of it or nothing. */
  transaction<T>(run: () => T): T {
    this.prepare("BEGIN IMMEDIATE").run();
    try {
      const result = run();
      this.prepare("COMMIT").run();
      return result;
    } catch (cause) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw cause;
    }
  }

  /** To be called within a transaction that changes a session or its subscriptions. */
  changed(): void {
    this.prepare("UPDATE total SET revision = revision + 1").run();
  }

  /** Shards open the file at once: the first one does it. */
  #changeOnce(isDue: () => boolean, sql: string): void {
    if (!isDue()) return;
    this.transaction(() => {
      if (isDue()) this.#database.exec(sql);
    });
  }

  #finds(sql: string): boolean {
    return this.#database.prepare(sql).get() !== undefined;
  }
}
