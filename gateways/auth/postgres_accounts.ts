/**
 * Accounts in PostgreSQL, by npm:postgres: several instances, and the login on Deno Deploy, share
 * them. The pool connects when it is asked, and again after the server was away.
 *
 * @module
 */
import postgres from "postgres";
import { AccountsAwayError, saysAway } from "./accounts_away.ts";
import type { Account, AccountRecord, AuditEntry } from "./account.ts";
import { withoutSecret } from "./account.ts";
import {
  auditOfRow,
  grantsText,
  instanceOfRow,
  limitsOfRow,
  number,
  recordOfRow,
  versionOfRow,
} from "./account_row.ts";
import { changedRecord, LastAdminError, losesAdmin } from "./account_store.ts";
import { changeLock, migrations } from "./postgres_migrations.ts";
import type {
  AccountChange,
  AccountQuery,
  AccountStore,
  AuditQuery,
  Change,
  Changes,
  Instance,
} from "./account_store.ts";

/** Taken by whoever migrates. */
const migrationLock = 0x51_0c_e0_01;

export interface PostgresOptions {
  /** Connections of the pool. */
  readonly connectionsMax?: number;
  /** After which a call rejects, whatever the server does. */
  readonly deadlineMs?: number;
}

type Rows = postgres.RowList<postgres.Row[]>;

/** See the module. */
export class PostgresAccounts implements AccountStore {
  readonly #sql: postgres.Sql;
  readonly #deadlineMs: number;
  #migrated: Promise<void> | undefined;

  /** Does not connect yet. */
  constructor(url: string, options: PostgresOptions = {}) {
    this.#deadlineMs = options.deadlineMs ?? 5_000;
    this.#sql = postgres(url, {
      max: options.connectionsMax ?? 4,
      idle_timeout: 60,
      connect_timeout: Math.ceil(this.#deadlineMs / 1000),
      // A short pause at most: calls that come while the server is away are to fail soon.
      backoff: (tries: number) => Math.min(1, 0.1 * tries),
      onnotice: () => {},
      connection: { application_name: "sluice", statement_timeout: this.#deadlineMs },
    });
  }

  find(name: string): Promise<AccountRecord | undefined> {
    return this.#call(async (sql) => {
      const [row] = await sql`
        SELECT *, grants::text AS grants, limits::text AS limits FROM sluice_accounts WHERE name = ${name}`;
      return row === undefined ? undefined : recordOfRow(row);
    });
  }

  list({ limit, after = "" }: AccountQuery): Promise<Account[]> {
    return this.#call(async (sql) => {
      const rows = await sql`
        SELECT *, grants::text AS grants, limits::text AS limits FROM sluice_accounts WHERE name > ${after}
        ORDER BY name LIMIT ${limit}`;
      return rows.map((row) => withoutSecret(recordOfRow(row)));
    });
  }

  add(record: AccountRecord, change: Change): Promise<number | undefined> {
    return this.#change(async (sql) => {
      const version = await lastVersion(sql, record.name) + 1;
      const { count } = await sql`
        INSERT INTO sluice_accounts (name, kind, grants, password_hash, disabled, version,
          created_ms, changed_ms, limits) VALUES (
          ${record.name}, ${record.kind}, ${grantsText(record)}::text::jsonb,
          ${record.passwordHash}, ${record.disabled ? 1 : 0}, ${version}, ${change.atMs},
          ${change.atMs}, ${JSON.stringify(record.limits)}::text::jsonb
        ) ON CONFLICT DO NOTHING`;
      if (count === 0) return undefined;
      await audit(sql, record.name, version, change);
      return version;
    });
  }

  remove(name: string, change: Change): Promise<boolean> {
    return this.#change(async (sql) => {
      const before = await found(sql, name);
      if (before === undefined) return false;
      if (losesAdmin(before)) await needAdminBeside(sql, name);
      await sql`DELETE FROM sluice_accounts WHERE name = ${name}`;
      await audit(sql, name, await lastVersion(sql, name) + 1, change);
      return true;
    });
  }

  change(name: string, set: AccountChange, change: Change): Promise<Account | undefined> {
    return this.#change(async (sql) => {
      const before = await found(sql, name);
      if (before === undefined) return undefined;
      const after = changedRecord(before, set, change.atMs);
      if (losesAdmin(before, after)) await needAdminBeside(sql, name);
      await sql`
        UPDATE sluice_accounts SET grants = ${grantsText(after)}::text::jsonb,
          password_hash = ${after.passwordHash}, disabled = ${after.disabled ? 1 : 0},
          version = ${after.version}, changed_ms = ${after.changedMs},
          limits = ${JSON.stringify(after.limits)}::text::jsonb WHERE name = ${name}`;
      await audit(sql, name, after.version, change);
      return withoutSecret(after);
    });
  }

  hasRole(role: string): Promise<boolean> {
    return this.#call(async (sql) => {
      const rows = await sql`
        SELECT 1 FROM sluice_accounts WHERE grants->'roles' ? ${role} LIMIT 1`;
      return rows.length > 0;
    });
  }

  limitedCount(): Promise<number> {
    return this.#call(async (sql) => {
      const [row] = await sql`
        SELECT count(*) AS limited FROM sluice_accounts WHERE limits <> '{}'`;
      return number(row ?? {}, "limited");
    });
  }

  audit({ limit, before = Number.MAX_SAFE_INTEGER }: AuditQuery): Promise<AuditEntry[]> {
    return this.#call(async (sql) => {
      const rows = await sql`
        SELECT * FROM sluice_audit WHERE sequence < ${before} ORDER BY sequence DESC
        LIMIT ${limit}`;
      return rows.map((row) => auditOfRow(row));
    });
  }

  changedSince(sinceMs: number): Promise<Changes> {
    return this.#changes(0, (sql, last) =>
      sql`
      SELECT target, max(version) AS version FROM sluice_audit
      WHERE at_ms >= ${sinceMs} AND version > 1 AND action <> 'limit' AND sequence <= ${last}
      GROUP BY target`, (sql) =>
      sql`
      SELECT name, limits::text AS limits FROM sluice_accounts WHERE limits <> '{}'`);
  }

  changesAfter(sequence: number): Promise<Changes> {
    return this.#changes(sequence, (sql, last) =>
      sql`
      SELECT target, max(version) AS version FROM sluice_audit
      WHERE sequence > ${sequence} AND version > 1 AND action <> 'limit' AND sequence <= ${last}
      GROUP BY target`, (sql, last) =>
      sql`
      SELECT DISTINCT target AS name, limits::text AS limits FROM sluice_audit
      LEFT JOIN sluice_accounts ON name = target
      WHERE sequence > ${sequence} AND sequence <= ${last}
        AND action IN ('add', 'limit', 'delete')`);
  }

  announce({ url, load, seenMs }: Instance): Promise<void> {
    return this.#call(async (sql) => {
      await sql`
        INSERT INTO sluice_instances VALUES (${url}, ${load}, ${seenMs})
        ON CONFLICT (url) DO UPDATE SET load = excluded.load, seen_ms = excluded.seen_ms`;
    });
  }

  instances(sinceMs: number): Promise<Instance[]> {
    return this.#call(async (sql) => {
      const rows = await sql`SELECT * FROM sluice_instances WHERE seen_ms >= ${sinceMs}`;
      return rows.map((row) => instanceOfRow(row));
    });
  }

  async close(): Promise<void> {
    await this.#sql.end({ timeout: 1 });
  }

  #changes(
    sequence: number,
    versions: (sql: postgres.Sql, last: number) => Promise<Rows>,
    limits: (sql: postgres.Sql, last: number) => Promise<Rows>,
  ): Promise<Changes> {
    return this.#call(async (sql) => {
      const [row] = await sql`SELECT max(sequence) AS last FROM sluice_audit`;
      const last = row === undefined || row.last === null ? sequence : number(row, "last");
      // Most polls find nothing new.
      if (last === sequence && sequence > 0) return { sequence, changed: [], limited: [] };
      const [changed, limited] = await Promise.all([versions(sql, last), limits(sql, last)]);
      return {
        sequence: last,
        changed: changed.map((row) => versionOfRow(row)),
        limited: limited.map((row) => limitsOfRow(row)),
      };
    });
  }

  #change<T>(work: (sql: postgres.TransactionSql) => Promise<T>): Promise<T> {
    return this.#call((sql) =>
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

  /** Migrates before the first call that finds the server there. */
  async #call<T>(work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
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

/** The account, which nobody else changes until this is done. */
async function found(
  sql: postgres.TransactionSql,
  name: string,
): Promise<AccountRecord | undefined> {
  const [row] = await sql`
    SELECT *, grants::text AS grants, limits::text AS limits FROM sluice_accounts
    WHERE name = ${name} FOR UPDATE`;
  return row === undefined ? undefined : recordOfRow(row);
}

/** Holds for the transaction: whoever changes accounts waits for the change before. */
async function needAdminBeside(sql: postgres.TransactionSql, name: string): Promise<void> {
  const others = await sql`
    SELECT 1 FROM sluice_accounts
    WHERE grants->'roles' ? 'admin' AND disabled = 0 AND name <> ${name} LIMIT 1`;
  if (others.length === 0) throw new LastAdminError(name);
}

/** Of the account, or of the one that had this name; 0 when none had. */
async function lastVersion(sql: postgres.TransactionSql, name: string): Promise<number> {
  const [row] = await sql`
    SELECT coalesce(max(version), 0) AS version FROM sluice_audit WHERE target = ${name}`;
  return number(row ?? {}, "version");
}

async function audit(
  sql: postgres.TransactionSql,
  target: string,
  version: number,
  { atMs, actor, action, detail }: Change,
): Promise<void> {
  await sql`
    INSERT INTO sluice_audit (at_ms, actor, action, target, version, detail)
    VALUES (${atMs}, ${actor}, ${action}, ${target}, ${version}, ${detail})`;
}
