/**
 * Accounts in PostgreSQL: several instances, and the login on Deno Deploy, share them.
 *
 * @module
 */
import type postgres from "postgres";
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
import { PostgresDatabase, type PostgresOptions } from "./postgres_database.ts";
import type {
  AccountChange,
  AccountQuery,
  AccountStore,
  AuditQuery,
  Change,
  Changes,
  Instance,
} from "./account_store.ts";

type Rows = postgres.RowList<postgres.Row[]>;

/** See the module. */
export class PostgresAccounts implements AccountStore {
  readonly #database: PostgresDatabase;

  /** Does not connect yet. */
  constructor(url: string, options: PostgresOptions = {}) {
    this.#database = new PostgresDatabase(url, options);
  }

  find(name: string): Promise<AccountRecord | undefined> {
    return this.#database.call(async (sql) => {
      const [row] = await sql`
        SELECT *, grants::text AS grants, limits::text AS limits FROM sluice_accounts WHERE name = ${name}`;
      return row === undefined ? undefined : recordOfRow(row);
    });
  }

  list({ limit, after = "" }: AccountQuery): Promise<Account[]> {
    return this.#database.call(async (sql) => {
      const rows = await sql`
        SELECT *, grants::text AS grants, limits::text AS limits FROM sluice_accounts WHERE name > ${after}
        ORDER BY name LIMIT ${limit}`;
      return rows.map((row) => withoutSecret(recordOfRow(row)));
    });
  }

  add(record: AccountRecord, change: Change): Promise<number | undefined> {
    return this.#database.change(async (sql) => {
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
    return this.#database.change(async (sql) => {
      const before = await found(sql, name);
      if (before === undefined) return false;
      if (losesAdmin(before)) await needAdminBeside(sql, name);
      await sql`DELETE FROM sluice_accounts WHERE name = ${name}`;
      await audit(sql, name, await lastVersion(sql, name) + 1, change);
      return true;
    });
  }

  change(name: string, set: AccountChange, change: Change): Promise<Account | undefined> {
    return this.#database.change(async (sql) => {
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
    return this.#database.call(async (sql) => {
      const rows = await sql`
        SELECT 1 FROM sluice_accounts WHERE grants->'roles' ? ${role} LIMIT 1`;
      return rows.length > 0;
    });
  }

  limitedCount(): Promise<number> {
    return this.#database.call(async (sql) => {
      const [row] = await sql`
        SELECT count(*) AS limited FROM sluice_accounts WHERE limits <> '{}'`;
      return number(row ?? {}, "limited");
    });
  }

  audit({ limit, before = Number.MAX_SAFE_INTEGER }: AuditQuery): Promise<AuditEntry[]> {
    return this.#database.call(async (sql) => {
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
    return this.#database.call(async (sql) => {
      await sql`
        INSERT INTO sluice_instances VALUES (${url}, ${load}, ${seenMs})
        ON CONFLICT (url) DO UPDATE SET load = excluded.load, seen_ms = excluded.seen_ms`;
    });
  }

  instances(sinceMs: number): Promise<Instance[]> {
    return this.#database.call(async (sql) => {
      const rows = await sql`SELECT * FROM sluice_instances WHERE seen_ms >= ${sinceMs}`;
      return rows.map((row) => instanceOfRow(row));
    });
  }

  async close(): Promise<void> {
    await this.#database.close();
  }

  #changes(
    sequence: number,
    versions: (sql: postgres.Sql, last: number) => Promise<Rows>,
    limits: (sql: postgres.Sql, last: number) => Promise<Rows>,
  ): Promise<Changes> {
    return this.#database.call(async (sql) => {
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
