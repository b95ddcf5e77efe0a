/**
 * Keeps the embedded store able to go on by itself where its disk is small or full. What stands in
 * the write-ahead log needs as much room again, at most, to be written back: a log that had grown
 * until the disk was full could never be emptied, however little of the store is in use.
 *
 * So the log is written back as soon as it could fill what is free; it keeps a little room, in which
 * old points can be deleted while the disk is full; and points are not taken where what they add
 * could not be written back.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";

/** What the log keeps of its room on a disk that is full, and on another. */
const logBytesMin = 1024 * 1024;
/** How long to wait for who reads the store. */
const busyMs = 20;
export const logBytesMax = 64 * 1024 * 1024;
/** What a write needs at least beside its points; and of many points, which may be there already. */
const marginBytes = 64 * 1024;
const pointBytesMax = 256 * 1024;

/** See the module. */
export class StoreRoom {
  readonly #database: DatabaseSync;
  readonly #log: string;
  readonly #free: () => number | undefined;
  readonly #freePages: StatementSync;
  readonly #pageBytes: number;
  #logBytesMax = logBytesMax;

  /** `free`: bytes on the disk of the file; `undefined` where that cannot be told. */
  constructor(database: DatabaseSync, path: string, free: () => number | undefined) {
    this.#database = database;
    this.#log = `${path}-wal`;
    this.#free = free;
    this.#freePages = database.prepare("PRAGMA freelist_count");
    this.#pageBytes = Number(database.prepare("PRAGMA page_size").get()?.["page_size"]);
  }

  /** Why points of so many bytes are not to be written now; `undefined` when they may be. */
  lacks(bytes: number): string | undefined {
    const needed = marginBytes + Math.min(bytes, pointBytesMax);
    const free = this.#free() ?? Infinity;
    if (free >= needed) return undefined;
    const reusable = Number(this.#freePages.get()?.["freelist_count"]) * this.#pageBytes;
    if (free + reusable >= needed) return undefined;
    return "its disk is full; free some space";
  }

  /** To be called after each transaction. */
  keep(): void {
    const free = this.#free() ?? Infinity;
    const logBytes = this.#logBytes();
    try {
      if (2 * logBytes > free) {
        this.#limit(logBytesMin);
        // One that a write has filled the disk with is cut off: no other would ever be let begin.
        this.#checkpoint(logBytes > Math.max(free, logBytesMin) ? "TRUNCATE" : "RESTART");
      } else if (free > 2 * logBytesMax) this.#limit(logBytesMax);
    } catch { // Somebody reads, or the disk fails: again after the next one, which says so.
    }
  }

  #checkpoint(mode: "RESTART" | "TRUNCATE"): void {
    const { timeout } = this.#database.prepare("PRAGMA busy_timeout").get() ?? {};
    this.#database.exec(`PRAGMA busy_timeout = ${busyMs}`);
    try {
      this.#database.exec(`PRAGMA wal_checkpoint(${mode})`);
    } finally {
      this.#database.exec(`PRAGMA busy_timeout = ${Number(timeout)}`);
    }
  }

  /** What the log keeps when it begins anew. */
  #limit(bytes: number): void {
    if (bytes === this.#logBytesMax) return;
    this.#logBytesMax = bytes;
    this.#database.exec(`PRAGMA journal_size_limit = ${bytes}`);
  }

  #logBytes(): number {
    try {
      return Deno.statSync(this.#log).size;
    } catch {
      return 0; // It is not there before the first write.
    }
  }
}
