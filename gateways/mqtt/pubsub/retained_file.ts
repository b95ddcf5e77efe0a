/**
 * The file of retained messages, as SQLite has it. Every method throws what SQLite throws.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { openSharedFile } from "../../sqlite/shared_file.ts";
import { ProtocolError } from "../codec/protocol_error.ts";
import { PacketReader } from "../codec/reader.ts";
import { filterMatches, literalPrefix } from "./filter.ts";
import type { Message } from "./message.ts";
import { readMessage } from "./message_record.ts";
import type { RetainedPage } from "./retained_feed.ts";

/** A message as it is kept; `null`: none. */
export interface RetainedRecord {
  readonly bytes: Uint8Array;
  readonly expiresMs: number | null;
}

export interface RetainedBounds {
  readonly countMax: number;
  readonly bytesMax: number;
}

/** How long a shard waits while another one writes. */
const busyMs = 2_000;
/** A page ends with the row that reaches one of these. */
const pageRowsMax = 64;
const pageBytesMax = 256 * 1024;
const pageScanMax = 256;
const cacheKib = 2_048;
const last = "\u{10ffff}";

const schema = `
  CREATE TABLE IF NOT EXISTS retained
    (topic TEXT PRIMARY KEY, message BLOB NOT NULL, expires_ms INTEGER) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS retained_expiry ON retained (expires_ms) WHERE expires_ms IS NOT NULL;
  CREATE TABLE IF NOT EXISTS total (one INTEGER PRIMARY KEY, count INTEGER, bytes INTEGER);
  INSERT OR IGNORE INTO total VALUES (1, 0, 0);
  CREATE TRIGGER IF NOT EXISTS retained_in AFTER INSERT ON retained BEGIN
    UPDATE total SET count = count + 1, bytes = bytes + length(new.message);
  END;
  CREATE TRIGGER IF NOT EXISTS retained_again AFTER UPDATE ON retained BEGIN
    UPDATE total SET bytes = bytes + length(new.message) - length(old.message);
  END;
  CREATE TRIGGER IF NOT EXISTS retained_out AFTER DELETE ON retained BEGIN
    UPDATE total SET count = count - 1, bytes = bytes - length(old.message);
  END;`;

/** See the module. */
export class RetainedFile {
  readonly #database: DatabaseSync;
  readonly #put: StatementSync;
  readonly #delete: StatementSync;
  readonly #expire: StatementSync;
  readonly #total: StatementSync;
  readonly #one: StatementSync;
  readonly #topics: StatementSync;
  readonly #message: StatementSync;

  /** Opens or makes the file, and forgets what has expired. */
  constructor(file: string, nowMs: number) {
    const options = { busyMs, synchronous: "NORMAL", cacheKib, schema } as const;
    const database = this.#database = openSharedFile(file, options);
    try {
      this.#expire = database.prepare("DELETE FROM retained WHERE expires_ms <= ?");
      this.#expire.run(nowMs);
      this.#put = database.prepare(
        `INSERT INTO retained VALUES (?1, ?2, ?3) ON CONFLICT (topic) DO UPDATE
         SET message = excluded.message, expires_ms = excluded.expires_ms`,
      );
      this.#delete = database.prepare("DELETE FROM retained WHERE topic = ?");
      this.#total = database.prepare("SELECT count, bytes FROM total");
      this.#one = database.prepare("SELECT length(message) AS bytes FROM retained WHERE topic = ?");
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

  /** Writes all of it in one transaction, and answers how many had no room. */
  write(
    records: ReadonlyMap<string, RetainedRecord | null>,
    bounds: RetainedBounds,
    nowMs: number,
  ): number {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const refused = this.#writeAll(records, bounds);
      if (refused > 0) this.#expire.run(nowMs);
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
    { countMax, bytesMax }: RetainedBounds,
  ): number {
    let refused = 0;
    let { count, bytes } = this.total;
    for (const [topic, record] of records) {
      const before = this.#one.get(topic)?.["bytes"];
      const known = before !== undefined;
      count += (record === null ? 0 : 1) - (known ? 1 : 0);
      bytes += (record?.bytes.length ?? 0) - Number(before ?? 0);
      if (record === null) {
        this.#delete.run(topic);
      } else if (count > countMax || bytes > bytesMax) {
        // What was there is out of date: no message is better than an old one.
        if (known) this.#delete.run(topic);
        count--;
        bytes -= record.bytes.length;
        refused++;
      } else {
        this.#put.run(topic, record.bytes, record.expiresMs);
      }
    }
    return refused;
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
