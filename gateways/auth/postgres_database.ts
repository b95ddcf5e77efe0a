/**
 * The accounts' database in PostgreSQL, by npm:postgres: brought to the newest version before it is
 * first used, and asked with a deadline. The pool connects when it is asked, and again after the
 * server was away.
 *
 * @module
 */
import postgres from "postgres";
import { number } from "./account_row.ts";
import { AccountsAwayError, saysAway } from "./accounts_away.ts";
import { changeLock, migrations } from "./postgres_migrations.ts";

/** Taken by whoever migrates. */
const migrationLock = 0x51_0c_e0_01;

export interface PostgresOptions {
  /** Connections of the pool. */
  readonly connectionsMax?: number;
  /** After which a call rejects, whatever the server does. */
  readonly deadlineMs?: number;
}

/** See the module. Its calls reject with an {@linkcode AccountsAwayError} while it is away. */
export class PostgresDatabase {
  readonly #sql: postgres.Sql;
  readonly #deadlineMs: number;
  #migrated: Promise<void> | undefined;

  /** Does not connect yet. */
  constructor(url: string, { deadlineMs = 5_000, connectionsMax = 4 }: PostgresOptions = {}) {
    this.#deadlineMs = deadlineMs;
    this.#sql = postgres(url, {
      max: connectionsMax,
      idle_timeout: 60,
      connect_timeout: Math.ceil(deadlineMs / 1000),
      // A short pause at most: calls that come while the server is away are to fail soon.
      backoff: (tries: number) => Math.min(1, 0.1 * tries),
      onnotice: () => {},
      connection: { application_name: "sluice", statement_timeout: deadlineMs },
    });
  }

  /** Migrates before the first call that finds the server there. */
  async call<T>(work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const why = `PostgreSQL did not answer in ${this.#deadlineMs} ms`;
        reject(new AccountsAwayError(new Error(why)));
      }, this.#deadlineMs);
    });
    const done = (async () => {
      await (this.#migrated ??= this.#migrate());
      return await work(this.#sql);
    })();
    try {
      return await Promise.race([done, late]);
    } catch (error) {
      throw error instanceof Error && saysAway(error) ? new AccountsAwayError(error) : error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** A change of accounts, as one transaction: whoever changes accounts waits for the one before. */
  change<T>(work: (sql: postgres.TransactionSql) => Promise<T>): Promise<T> {
    return this.call((sql) =>
      // What `begin` gives is a promise of the same; its type spreads over arrays.
      new Promise<T>((resolve, reject) => {
        sql.begin(async (sql) => {
          await sql`SELECT pg_advisory_xact_lock(${changeLock}),
            set_config('sluice.keeps_books', 'yes', true)`;
          const result = await work(sql);
          return () => result;
        }).then((result) => resolve(result()), reject);
      })
    );
  }

  async close(): Promise<void> {
    await this.#sql.end({ timeout: 1 });
  }

  async #migrate(): Promise<void> {
    try {
      await this.#sql.begin(async (sql) => {
        await sql`SELECT pg_advisory_xact_lock(${migrationLock})`;
        await sql`CREATE TABLE IF NOT EXISTS sluice_migrations (
          version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())`;
        const [row] = await sql`SELECT coalesce(max(version), 0) AS had FROM sluice_migrations`;
        const had = number(row ?? {}, "had");
        if (had > migrations.length) {
          throw new Error("Cannot use the accounts: a newer Sluice has migrated the database");
        }
        for (const [i, migration] of migrations.entries()) {
          if (i < had) continue;
          await sql.unsafe(migration);
          await sql`INSERT INTO sluice_migrations (version) VALUES (${i + 1})`;
        }
      });
    } catch (cause) {
      this.#migrated = undefined; // the server is away: the next call tries again
      throw cause;
    }
  }
}
