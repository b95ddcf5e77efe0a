/**
 * The file of kept sessions, as SQLite has it: who subscribed to what, what waits for whom, and how
 * far each handshake has come. All shards share it, and each sees what any of them committed. Every
 * method throws what SQLite throws.
 *
 * @module
 */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { Grant } from "../pubsub/subscription_table.ts";
import { type CommitBounds, type CommitOp, type CommitResult, KeptCommit } from "./kept_commit.ts";
import { type KeptRow, readRow } from "./kept_row.ts";
import { keptSchema } from "./kept_schema.ts";

/** A subscription as it is kept. */
export interface KeptSubscription {
  readonly name: string;
  readonly grant: Grant;
  /**
   * The topic after which retained messages are still to be sent, `""` from the beginning;
   * `undefined`: all were.
   */
  readonly feedAfter: string | undefined;
}

/** A session as it is kept. */
export interface KeptRecord {
  readonly id: number;
  readonly key: string;
  readonly account: string;
  /** Grows with every connection. */
  readonly epoch: number;
  /** The shard it is connected to. */
  readonly holder: number | undefined;
  readonly subscriptions: readonly KeptSubscription[];
}

/** Who connects, and what for. */
export interface ClaimRequest {
  readonly key: string;
  readonly account: string;
  readonly clean: boolean;
  readonly expiryS: number;
  /** As {@linkcode encodeWill} wrote it. */
  readonly will: Uint8Array | undefined;
  readonly willDelayS: number;
}

export interface Claimed {
  readonly id: number;
  readonly epoch: number;
  /** There was one, and it goes on. */
  readonly present: boolean;
  /** A session that ended by this one, and its will, if it is still to be sent. */
  readonly endedId: number | undefined;
  readonly endedWill: Uint8Array | undefined;
}

/** What is left when a connection ends. */
export interface Detachment {
  readonly id: number;
  readonly epoch: number;
  readonly sent: number;
  readonly expiryS: number;
  /** Whether the will waits for its time. */
  readonly willLater: boolean;
}

/** How long a shard waits while another one writes. */
const busyMs = 2_000;
/** 256 KiB: the log takes its room from the spool, and a full disk must be able to empty it. */
const walPages = 64;
const cacheKib = 4_096;
/** A page of a queue ends with the row that reaches this. */
const pageBytesMax = 256 * 1024;

const number = (value: unknown): number => Number(value ?? 0);
const optional = (value: unknown): number | undefined => value === null ? undefined : number(value);
const blob = (value: unknown): Uint8Array | undefined =>
  value instanceof Uint8Array ? value : undefined;

/** See the module. */
export class KeptFile {
  readonly #database: DatabaseSync;
  readonly #commit: KeptCommit;
  readonly #statements = new Map<string, StatementSync>();

  /** Opens or makes the file. */
  constructor(file: string) {
    const database = this.#database = new DatabaseSync(file);
    try {
      database.exec(
        `PRAGMA busy_timeout = ${busyMs}; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
         PRAGMA cache_size = -${cacheKib}; PRAGMA wal_autocheckpoint = ${walPages};
         ${keptSchema}`,
      );
      this.#commit = new KeptCommit((sql) => this.#prepare(sql));
    } catch (cause) {
      database.close();
      throw cause;
    }
  }

  close(): void {
    this.#database.close();
  }

  // --- Reading.

  /** Grows with every change of a session or its subscriptions. */
  get revision(): number {
    return number(this.#prepare("SELECT revision FROM total").get()?.["revision"]);
  }

  get total(): { readonly sessions: number; readonly count: number; readonly bytes: number } {
    const { count, bytes } = this.#prepare("SELECT count, bytes FROM total").get() ?? {};
    const sessions = this.#prepare("SELECT COUNT(*) AS sessions FROM session").get()?.["sessions"];
    return { sessions: number(sessions), count: number(count), bytes: number(bytes) };
  }

  /** Every session. */
  all(): KeptRecord[] {
    const ids = this.#prepare("SELECT id FROM session").all();
    return ids.map(({ id }) => this.session(number(id))).filter((record) => record !== undefined);
  }

  /** `undefined`: it has ended. */
  session(id: number): KeptRecord | undefined {
    const row = this.#prepare("SELECT key, account, epoch, holder FROM session WHERE id = ?")
      .get(id);
    if (row === undefined) return undefined;
    const subscriptions = this.#prepare(
      "SELECT name, qos, no_local, as_published, sub_id, feed FROM subscription WHERE session = ?",
    ).all(id);
    return {
      id,
      key: String(row["key"]),
      account: String(row["account"]),
      epoch: number(row["epoch"]),
      holder: optional(row["holder"]),
      subscriptions: subscriptions.map(readSubscription),
    };
  }

  /** Messages from number `from` on, in order, `countMax` at most. */
  page(id: number, from: number, countMax: number): KeptRow[] {
    const found = this.#prepare(
      `SELECT n, flags, ids, bytes, COALESCE(queue.body, message.body) AS body FROM queue
       LEFT JOIN message ON message.id = queue.message
       WHERE session = ? AND n >= ? ORDER BY n LIMIT ?`,
    ).iterate(id, from, countMax);
    const rows: KeptRow[] = [];
    let bytes = 0;
    for (const row of found) {
      const read = readRow(row);
      rows.push(read);
      bytes += read.bytes;
      if (bytes >= pageBytesMax) break;
    }
    return rows;
  }

  /** How far the queue has come: messages below `sent` were sent, those from `next` on are to come. */
  progress(id: number): { readonly sent: number; readonly next: number } {
    const row = this.#prepare("SELECT sent, next FROM session WHERE id = ?").get(id);
    return { sent: number(row?.["sent"]), next: number(row?.["next"]) };
  }

  /** QoS 2 packet identifiers the client used and has not released, and whether PUBREC was due. */
  received(id: number): Map<number, boolean> {
    const rows = this.#prepare("SELECT packet_id, settled FROM received WHERE session = ?").all(id);
    return new Map(rows.map((row) => [number(row["packet_id"]), row["settled"] === 1]));
  }

  /** Sessions whose time is up, of those with `id mod of = mine`. */
  expired(nowMs: number, of: number, mine: number): number[] {
    return this.#prepare(
      "SELECT id FROM session WHERE expires_ms <= ? AND id % ? = ? ORDER BY expires_ms LIMIT 200",
    ).all(nowMs, of, mine).map(({ id }) => number(id));
  }

  dueWills(
    nowMs: number,
    of: number,
    mine: number,
  ): { id: number; key: string; will: Uint8Array }[] {
    return this.#prepare(
      `SELECT id, key, will FROM session WHERE will_due_ms <= ? AND id % ? = ?
       ORDER BY will_due_ms LIMIT 200`,
    ).all(nowMs, of, mine).map((row) => ({
      id: number(row["id"]),
      key: String(row["key"]),
      will: blob(row["will"]) ?? new Uint8Array(0),
    }));
  }

  // --- Writing. Each is one transaction.

  /**
   * A client has connected to a shard; `full`: there are as many sessions as may be. A session whose
   * time is up does not go on, though it has not been swept away [MQTT-4.1.0-2].
   */
  claim(
    request: ClaimRequest,
    shard: number,
    countMax: number,
    nowMs: number,
  ): Claimed | "full" {
    const { key, account, clean, expiryS, will = null, willDelayS } = request;
    return this.#transaction(() => {
      const before = this.#prepare(
        "SELECT id, epoch, will, will_due_ms, expires_ms FROM session WHERE key = ?",
      ).get(key);
      const over = clean || number(before?.["expires_ms"] ?? Infinity) <= nowMs;
      if (before !== undefined && !over) {
        const id = number(before["id"]);
        const epoch = number(before["epoch"]) + 1;
        this.#prepare(
          `UPDATE session SET epoch = ?, holder = ?, expiry_s = ?, expires_ms = NULL, will = ?,
           will_delay_s = ?, will_due_ms = NULL WHERE id = ?`,
        ).run(epoch, shard, expiryS, will, willDelayS, id);
        this.#changed();
        return { id, epoch, present: true, endedId: undefined, endedWill: undefined };
      }
      let endedId: number | undefined;
      let endedWill: Uint8Array | undefined;
      if (before !== undefined) {
        endedId = number(before["id"]);
        // The will of one that is connected is the business of who holds it.
        if (before["will_due_ms"] !== null) endedWill = blob(before["will"]);
        this.#delete(endedId);
      }
      const { sessions } = this.#prepare("SELECT COUNT(*) AS sessions FROM session").get() ?? {};
      if (number(sessions) >= countMax) return "full";
      const { lastInsertRowid } = this.#prepare(
        `INSERT INTO session (key, account, epoch, holder, expiry_s, will, will_delay_s)
         VALUES (?, ?, 1, ?, ?, ?, ?)`,
      ).run(key, account, shard, expiryS, will, willDelayS);
      this.#changed();
      const id = number(lastInsertRowid);
      return { id, epoch: 1, present: false, endedId, endedWill };
    });
  }

  /** The connection has ended. False when the session is another one's by now, or is over. */
  detach({ id, epoch, sent, expiryS, willLater }: Detachment, nowMs: number): boolean {
    return this.#transaction(() => {
      this.#changed();
      const whose = this.#prepare("SELECT 1 FROM session WHERE id = ? AND epoch = ?");
      if (whose.get(id, epoch) === undefined) return false;
      if (expiryS === 0) {
        this.#delete(id);
        return true;
      }
      this.#prepare(
        `UPDATE session SET holder = NULL, sent = MAX(sent, ?1), expiry_s = ?2,
         expires_ms = ?3 + ?2 * 1000, will = CASE ?4 WHEN 1 THEN will END,
         will_due_ms = CASE ?4 WHEN 1 THEN ?3 + MIN(will_delay_s, ?2) * 1000 END WHERE id = ?5`,
      ).run(sent, expiryS, nowMs, willLater ? 1 : 0, id);
      return true;
    });
  }

  /** Sessions end: what waits for them is given up. Gives the wills that were to be sent later. */
  end(ids: readonly number[]): Uint8Array[] {
    return this.#transaction(() => {
      const wills: Uint8Array[] = [];
      for (const id of ids) {
        const row = this.#prepare("SELECT will, will_due_ms FROM session WHERE id = ?").get(id);
        const will = blob(row?.["will"]);
        if (will !== undefined && row?.["will_due_ms"] !== null) wills.push(will);
        this.#delete(id);
      }
      this.#changed();
      return wills;
    });
  }

  /** A will was sent. */
  willSent(id: number): void {
    this.#prepare("UPDATE session SET will = NULL, will_due_ms = NULL WHERE id = ?").run(id);
  }

  subscribe(id: number, subscriptions: readonly KeptSubscription[]): void {
    this.#transaction(() => {
      for (const { name, grant, feedAfter } of subscriptions) {
        this.#prepare(
          "INSERT OR REPLACE INTO subscription SELECT id, ?, ?, ?, ?, ?, ? FROM session WHERE id = ?",
        ).run(
          name,
          grant.qos,
          grant.noLocal ? 1 : 0,
          grant.retainAsPublished ? 1 : 0,
          grant.ids[0] ?? null,
          feedAfter ?? null,
          id,
        );
      }
      this.#changed();
    });
  }

  unsubscribe(id: number, names: readonly string[]): void {
    this.#transaction(() => {
      for (const name of names) {
        this.#prepare("DELETE FROM subscription WHERE session = ? AND name = ?").run(id, name);
      }
      this.#changed();
    });
  }

  /**
   * A shard begins: what its predecessor, or a shard that is no more, was connected to is offline
   * from now on, and may have been sent whatever waits.
   */
  adopt(shard: number, shards: number, nowMs: number): void {
    this.#transaction(() => {
      const { changes } = this.#prepare(
        `UPDATE session SET holder = NULL, sent = next, expires_ms = ?1 + expiry_s * 1000,
         will_due_ms = CASE WHEN will IS NOT NULL
           THEN ?1 + MIN(will_delay_s, expiry_s) * 1000 END
         WHERE holder = ?2 OR (?2 = 0 AND holder >= ?3)`,
      ).run(nowMs, shard, shards);
      if (number(changes) > 0) this.#changed();
    });
  }

  /** See {@linkcode KeptCommit}. */
  commit(ops: readonly CommitOp[], bounds: CommitBounds): CommitResult {
    return this.#transaction(() => this.#commit.run(ops, bounds));
  }

  #delete(id: number): void {
    this.#commit.forget(id);
    for (const table of ["subscription", "received"]) {
      this.#prepare(`DELETE FROM ${table} WHERE session = ?`).run(id);
    }
    this.#prepare("DELETE FROM session WHERE id = ?").run(id);
  }

  #changed(): void {
    this.#prepare("UPDATE total SET revision = revision + 1").run();
  }

  #transaction<T>(run: () => T): T {
    this.#prepare("BEGIN IMMEDIATE").run();
    try {
      const result = run();
      this.#prepare("COMMIT").run();
      return result;
    } catch (cause) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw cause;
    }
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      this.#statements.set(sql, statement = this.#database.prepare(sql));
    }
    return statement;
  }
}

function readSubscription(row: Record<string, unknown>): KeptSubscription {
  const qos = number(row["qos"]);
  const id = optional(row["sub_id"]);
  const feed = row["feed"];
  return {
    name: String(row["name"]),
    grant: {
      qos: qos === 1 || qos === 2 ? qos : 0,
      noLocal: row["no_local"] === 1,
      retainAsPublished: row["as_published"] === 1,
      ids: id === undefined ? [] : [id],
    },
    feedAfter: typeof feed === "string" ? feed : undefined,
  };
}
