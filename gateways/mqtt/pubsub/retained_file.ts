/**
 * The file of retained messages, as SQLite has it. Every method throws what SQLite throws.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { openSharedFile } from "../../sqlite/shared_file.ts";
import { ProtocolError } from "../codec/protocol_error.ts";
import { PacketReader } from "../codec/reader.ts";
import { filterMatches } from "../topic_filter.ts";
import { literalPrefix } from "./filter.ts";
import type { Message } from "./message.ts";
import { readMessage } from "./message_record.ts";
import type { RetainedPage } from "./retained_feed.ts";
import { migrateRetained, retainedKind, retainedSchema } from "./retained_schema.ts";

/** A message as it is kept; `null`: none. */
export interface RetainedRecord {
  readonly bytes: Uint8Array;
  readonly expiresMs: number | null;
  /** The account it counts for; empty: nobody's. */
  readonly owner: string;
}

export interface RetainedBounds {
  readonly countMax: number;
  readonly bytesMax: number;
  /** Messages that one account may own. */
  readonly ownedMax: (owner: string) => number;
}

/** What was not kept: how many for want of room, and whose for having as many as they may. */
export interface RetainedRefusals {
  readonly full: number;
  readonly overQuota: readonly string[];
}

/** How long a shard waits while another one writes. */
const busyMs = 2_000;
/** A page ends with the row that reaches one of these. */
const pageRowsMax = 64;
const pageBytesMax = 256 * 1024;
const pageScanMax = 256;
const cacheKib = 2_048;
const last = "\u{10ffff}";

/** See the module. */
export class RetainedFile {
  readonly #database: DatabaseSync;
  readonly #put: StatementSync;
  readonly #delete: StatementSync;
  readonly #expire: StatementSync;
  readonly #expired: StatementSync;
  readonly #owned: StatementSync;
  readonly #total: StatementSync;
  readonly #one: StatementSync;
  readonly #topics: StatementSync;
  readonly #message: StatementSync;

  /** Opens or makes the file, and forgets what has expired. */
  constructor(file: string, nowMs: number) {
    const options = {
      kind: retainedKind,
      busyMs,
      synchronous: "NORMAL",
      cacheKib,
      schema: retainedSchema,
    } as const;
    const database = this.#database = openSharedFile(file, options);
    try {
      migrateRetained(database);
      this.#expire = database.prepare("DELETE FROM retained WHERE expires_ms <= ?");
      this.#expire.run(nowMs);
      this.#expired = database.prepare("SELECT 1 FROM retained WHERE expires_ms <= ? LIMIT 1");
      this.#owned = database.prepare("SELECT count FROM owners WHERE account = ?");
      this.#put = database.prepare(
        `INSERT INTO retained (topic, message, expires_ms, owner) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (topic) DO UPDATE SET message = excluded.message,
           expires_ms = excluded.expires_ms, owner = excluded.owner`,
      );
      this.#delete = database.prepare("DELETE FROM retained WHERE topic = ?");
      this.#total = database.prepare("SELECT count, bytes FROM total");
      this.#one = database.prepare(
        "SELECT length(message) AS bytes, owner FROM retained WHERE topic = ?",
      );
      // One lower bound: of two, SQLite seeks by the first, and walks again over all pages before.
      // Topics alone, all at once: `iterate` would end without a word where the file is damaged.
      this.#topics = database.prepare(
        `SELECT topic, expires_ms FROM retained
         WHERE topic >= max(?1, ?2) AND topic <> ?2 AND topic <= ?3 ORDER BY topic LIMIT ${pageScanMax}`,
      );
      this.#message = database.prepare("SELECT message FROM retained WHERE topic = ?");
    } catch (cause) {
      database.close();
      throw cause;
    }
  }

  /** Messages in the file, and their bytes. */
  get total(): { readonly count: number; readonly bytes: number } {
    const { count, bytes } = this.#total.get() ?? {};
    return { count: Number(count ?? 0), bytes: Number(bytes ?? 0) };
  }

  /** How many messages the account owns. */
  owned(account: string): number {
    return Number(this.#owned.get(account)?.["count"] ?? 0);
  }

  /** Whose message is kept for the topic; empty: nobody's. */
  ownerOf(topic: string): string {
    return String(this.#one.get(topic)?.["owner"] ?? "");
  }

  /** Whether there is what {@linkcode RetainedFile.expire} deletes. */
  hasExpired(nowMs: number): boolean {
    return this.#expired.get(nowMs) !== undefined;
  }

  expire(nowMs: number): void {
    this.#expire.run(nowMs);
  }

  /** Writes all of it in one transaction, but for what is refused. */
  write(
    records: ReadonlyMap<string, RetainedRecord | null>,
    bounds: RetainedBounds,
    nowMs: number,
  ): RetainedRefusals {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const refused = this.#writeAll(records, bounds);
      if (refused.full + refused.overQuota.length > 0) this.#expire.run(nowMs);
      this.#database.exec("COMMIT");
      return refused;
    } catch (cause) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw cause;
    }
  }

  /** What matches the filter after a topic; `damaged` hears of records that cannot be read. */
  page(
    filter: string,
    after: string | undefined,
    nowMs: number,
    damaged: (cause: ProtocolError) => void,
  ): RetainedPage {
    const prefix = literalPrefix(filter);
    const exact = !/[+#]/.test(filter);
    const messages: Message[] = [];
    let bytes = 0;
    const rows = this.#topics.all(prefix, after ?? "", exact ? prefix : `${prefix}${last}`);
    for (const { topic, expires_ms: expiresMs } of rows) {
      if (typeof topic !== "string" || !filterMatches(filter, topic)) continue;
      if (expiresMs !== null && Number(expiresMs) <= nowMs) continue;
      const record = this.#message.get(topic)?.["message"];
      if (!(record instanceof Uint8Array)) continue; // Another shard has just deleted it.
      const message = read(record, damaged);
      if (message !== undefined) messages.push(message);
      bytes += record.length;
      const full = messages.length === pageRowsMax || bytes >= pageBytesMax;
      if (full) return { messages, after: exact ? undefined : topic };
    }
    const end = rows.length < pageScanMax ? undefined : rows.at(-1)?.["topic"];
    return { messages, after: typeof end === "string" ? end : undefined };
  }

  close(): void {
    this.#database.close();
  }

  #writeAll(
    records: ReadonlyMap<string, RetainedRecord | null>,
    { countMax, bytesMax, ownedMax }: RetainedBounds,
  ): RetainedRefusals {
    let full = 0;
    const overQuota: string[] = [];
    let { count, bytes } = this.total;
    /** Bytes of what is its owner's already. */
    const own = new Map<string, number>();
    // First what goes: it makes room, whatever came first.
    for (const [topic, record] of records) {
      const before = this.#one.get(topic);
      if (before === undefined) continue;
      const its = Number(before["bytes"]);
      if (record !== null && record.owner === (before["owner"] ?? "")) {
        own.set(topic, its);
        continue;
      }
      this.#delete.run(topic);
      count--;
      bytes -= its;
    }
    for (const [topic, record] of records) {
      if (record === null) continue;
      const { owner } = record;
      const before = own.get(topic);
      if (before === undefined) count++;
      bytes += record.bytes.length - (before ?? 0);
      const over = owner !== "" && before === undefined && this.owned(owner) >= ownedMax(owner);
      if (over || count > countMax || bytes > bytesMax) {
        // What was there is out of date: no message is better than an old one.
        if (before !== undefined) this.#delete.run(topic);
        count--;
        bytes -= record.bytes.length;
        if (over) overQuota.push(owner);
        else full++;
      } else {
        this.#put.run(topic, record.bytes, record.expiresMs, owner === "" ? null : owner);
      }
    }
    return { full, overQuota };
  }
}

function read(record: Uint8Array, damaged: (cause: ProtocolError) => void): Message | undefined {
  try {
    return readMessage(new PacketReader(record));
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause;
    damaged(cause);
    return undefined;
  }
}
