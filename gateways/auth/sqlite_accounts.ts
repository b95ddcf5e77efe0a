/**
 * Accounts in a file of their own in the data directory, by node:sqlite. The command line may have
 * it open at the same time as the service.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { type FileKind, versionOf } from "../sqlite/file_kind.ts";
import { isFileFault, isFull } from "../sqlite/result_code.ts";
import type { Account, AccountRecord, AuditEntry } from "./account.ts";
import { withoutSecret } from "./account.ts";
import { AccountsAwayError } from "./accounts_away.ts";
import {
  auditOfRow,
  grantsText,
  limitsOfRow,
  number,
  recordOfRow,
  versionOfRow,
} from "./account_row.ts";
import { changedRecord, LastAdminError, losesAdmin } from "./account_store.ts";
import type {
  AccountChange,
  AccountQuery,
  AccountStore,
  AuditQuery,
  Change,
  Changes,
  Instance,
} from "./account_store.ts";

/** In order; the file's `user_version` is how many of them it has had. */
const migrations = [
  `CREATE TABLE accounts (
     name TEXT PRIMARY KEY,
     kind TEXT NOT NULL,
     grants TEXT NOT NULL,
     password_hash TEXT NOT NULL,
     disabled INTEGER NOT NULL,
     version INTEGER NOT NULL,
     created_ms INTEGER NOT NULL,
     changed_ms INTEGER NOT NULL
   ) STRICT;
   CREATE TABLE audit (
     sequence INTEGER PRIMARY KEY AUTOINCREMENT,
     at_ms INTEGER NOT NULL,
     actor TEXT NOT NULL,
     action TEXT NOT NULL,
     target TEXT NOT NULL,
     version INTEGER NOT NULL,
     detail TEXT NOT NULL
   ) STRICT;
   CREATE INDEX audit_at ON audit (at_ms);`,
  `CREATE INDEX audit_target ON audit (target, version);`,
  `ALTER TABLE accounts ADD COLUMN limits TEXT NOT NULL DEFAULT '{}';
   CREATE INDEX accounts_limited ON accounts (name) WHERE limits <> '{}';`,
] as const;

const accountsKind: FileKind = {
  version: migrations.length,
  holds: "SELECT name, password_hash, version FROM accounts",
};

/** See the module. Its calls are quick, and done when they return. */
export class SqliteAccounts implements AccountStore {
  readonly #database: DatabaseSync;
  /** One process, so nobody else has to know. */
  readonly #instances = new Map<string, Instance>();

  /** @throws {Error} when the file cannot be used, or is of a newer Sluice. */
  constructor(path: string) {
    this.#database = new DatabaseSync(path);
    try {
      this.#database.exec("PRAGMA busy_timeout = 2000");
      versionOf(this.#database, accountsKind); // Before the journal of another's file is made WAL.
      this.#database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
      this.#migrate();
    } catch (cause) {
      this.#database.close();
      throw cause;
    }
  }

  async find(name: string): Promise<AccountRecord | undefined> {
    return await this.#now(() => this.#find(name));
  }

  async list({ limit, after = "" }: AccountQuery): Promise<Account[]> {
    return await this.#now(() =>
      this.#database.prepare("SELECT * FROM accounts WHERE name > ? ORDER BY name LIMIT ?")
        .all(after, limit).map((row) => withoutSecret(recordOfRow(row)))
    );
  }

  async add(record: AccountRecord, change: Change): Promise<number | undefined> {
    return await this.#now(() =>
      this.#transaction(() => {
        const version = this.#lastVersion(record.name) + 1;
        const { changes } = this.#database.prepare(
          `INSERT INTO accounts (name, kind, grants, password_hash, disabled, version, created_ms,
             changed_ms, limits) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
        ).run(
          record.name,
          record.kind,
          grantsText(record),
          record.passwordHash,
          record.disabled ? 1 : 0,
          version,
          change.atMs,
          change.atMs,
          JSON.stringify(record.limits),
        );
        if (Number(changes) === 0) return undefined;
        this.#audit(record.name, version, change);
        return version;
      })
    );
  }

  async remove(name: string, change: Change): Promise<boolean> {
    return await this.#now(() =>
      this.#transaction(() => {
        const before = this.#find(name);
        if (before === undefined) return false;
        if (losesAdmin(before)) this.#needAdminBeside(name);
        this.#database.prepare("DELETE FROM accounts WHERE name = ?").run(name);
        this.#audit(name, this.#lastVersion(name) + 1, change);
        return true;
      })
    );
  }

  async change(name: string, set: AccountChange, change: Change): Promise<Account | undefined> {
    return await this.#now(() =>
      this.#transaction(() => {
        const before = this.#find(name);
        if (before === undefined) return undefined;
        const after = changedRecord(before, set, change.atMs);
        if (losesAdmin(before, after)) this.#needAdminBeside(name);
        this.#database.prepare(
          `UPDATE accounts SET grants = ?, password_hash = ?, disabled = ?, version = ?,
             changed_ms = ?, limits = ? WHERE name = ?`,
        ).run(
          grantsText(after),
          after.passwordHash,
          after.disabled ? 1 : 0,
          after.version,
          after.changedMs,
          JSON.stringify(after.limits),
          name,
        );
        this.#audit(name, after.version, change);
        return withoutSecret(after);
      })
    );
  }

  async hasRole(role: string): Promise<boolean> {
    return await this.#now(() =>
      this.#database.prepare(
        `SELECT 1 FROM accounts, json_each(accounts.grants, '$.roles') AS held
           WHERE held.value = ? LIMIT 1`,
      ).get(role) !== undefined
    );
  }

  async limitedCount(): Promise<number> {
    return await this.#now(() => {
      const sql = "SELECT count(*) AS limited FROM accounts WHERE limits <> '{}'";
      return number(this.#database.prepare(sql).get() ?? {}, "limited");
    });
  }

  async audit({ limit, before = Number.MAX_SAFE_INTEGER }: AuditQuery): Promise<AuditEntry[]> {
    return await this.#now(() =>
      this.#database.prepare(
        "SELECT * FROM audit WHERE sequence < ? ORDER BY sequence DESC LIMIT ?",
      ).all(before, limit).map(auditOfRow)
    );
  }

  async changedSince(sinceMs: number): Promise<Changes> {
    return await this.#now(() =>
      this.#changes(
        `SELECT target, max(version) AS version FROM audit
           WHERE at_ms >= ? AND version > 1 AND action <> 'limit' GROUP BY target`,
        "SELECT name, limits FROM accounts WHERE limits <> '{}' AND ? IS NOT NULL",
        sinceMs,
        0,
      )
    );
  }

  async changesAfter(sequence: number): Promise<Changes> {
    return await this.#now(() =>
      this.#changes(
        `SELECT target, max(version) AS version FROM audit
           WHERE sequence > ? AND version > 1 AND action <> 'limit' GROUP BY target`,
        `SELECT DISTINCT target AS name, limits FROM audit LEFT JOIN accounts ON name = target
           WHERE sequence > ? AND action IN ('add', 'limit', 'delete')`,
        sequence,
        sequence,
      )
    );
  }

  announce(instance: Instance): Promise<void> {
    this.#instances.set(instance.url, instance);
    return Promise.resolve();
  }

  instances(sinceMs: number): Promise<Instance[]> {
    return Promise.resolve([...this.#instances.values()].filter((one) => one.seenMs >= sinceMs));
  }

  close(): Promise<void> {
    this.#database.close();
    return Promise.resolve();
  }

  #find(name: string): AccountRecord | undefined {
    const row = this.#database.prepare("SELECT * FROM accounts WHERE name = ?").get(name);
    return row === undefined ? undefined : recordOfRow(row);
  }

  #needAdminBeside(name: string): void {
    const other = this.#database.prepare(
      `SELECT 1 FROM accounts, json_each(accounts.grants, '$.roles') AS held
         WHERE held.value = 'admin' AND disabled = 0 AND name <> ? LIMIT 1`,
    ).get(name);
    if (other === undefined) throw new LastAdminError(name);
  }

  /** Of the account, or of the one that had this name; 0 when none had. */
  #lastVersion(name: string): number {
    const row = this.#database.prepare(
      "SELECT coalesce(max(version), 0) AS version FROM audit WHERE target = ?",
    ).get(name);
    return number(row ?? {}, "version");
  }

  #audit(target: string, version: number, { atMs, actor, action, detail }: Change): void {
    this.#database.prepare(
      "INSERT INTO audit (at_ms, actor, action, target, version, detail) VALUES (?, ?, ?, ?, ?, ?)",
    ).run(atMs, actor, action, target, version, detail);
  }

  #changes(versions: string, limits: string, from: number, sequence: number): Changes {
    // Only read: what is told belongs together, and nobody who writes is kept waiting.
    return this.#transaction(() => {
      const last = this.#database.prepare("SELECT max(sequence) AS last FROM audit").get();
      const changed = this.#database.prepare(versions).all(from).map(versionOfRow);
      const limited = this.#database.prepare(limits).all(from).map(limitsOfRow);
      return {
        sequence: last?.last === null || last === undefined ? sequence : number(last, "last"),
        changed,
        limited,
      };
    }, "BEGIN");
  }

  /** What is thrown rejects, as with the other database. */
  #now<T>(work: () => T): Promise<T> {
    return Promise.try(work).catch((cause) => {
      throw isFileFault(cause) ? new AccountsAwayError(cause, isFull(cause)) : cause;
    });
  }

  #transaction<T>(work: () => T, begin: "BEGIN IMMEDIATE" | "BEGIN" = "BEGIN IMMEDIATE"): T {
    this.#database.exec(begin);
    try {
      const result = work();
      this.#database.exec("COMMIT");
      return result;
    } catch (cause) {
      // A disk that is full has rolled back already.
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw cause;
    }
  }

  #migrate(): void {
    this.#transaction(() => {
      const version = versionOf(this.#database, accountsKind);
      const had = version === "new" ? 0 : version;
      if (had === migrations.length) return; // A start needs no room on the disk.
      for (const migration of migrations.slice(had)) this.#database.exec(migration);
      this.#database.exec(`PRAGMA user_version = ${migrations.length}`);
    });
  }
}
