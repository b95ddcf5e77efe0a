/**
 * What is remembered of devices over restarts: one row each, in a file that all shards share. It is
 * written now and then and at the end; after a kill, what the spool still holds is added to it.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { FileKind } from "../sqlite/file_kind.ts";
import { openSharedFile } from "../sqlite/shared_file.ts";

/** How long a shard waits while another one writes, in ms. */
const busyMs = 2_000;
/** Rows written by one statement: a call of SQLite from JavaScript costs more than a row does. */
const rowsPerStatement = 16;
/** Rows read at once: some 400 bytes each, and 32 KiB where code keeps as much as it may. */
const pageRows = 256;

export const deviceStatesKind: FileKind = {
  version: 1,
  holds: "SELECT id, saved FROM device",
  unversioned: true,
};
const schema = `
  CREATE TABLE IF NOT EXISTS device (id TEXT PRIMARY KEY, saved TEXT NOT NULL) WITHOUT ROWID;
`;

/** See the module. Every method throws what SQLite throws. */
export class DeviceStates {
  readonly #database: DatabaseSync;
  readonly #get: StatementSync;
  readonly #put: StatementSync;
  readonly #putMany: StatementSync;

  /**
   * Opens or makes the file. With `FULL` what was saved outlasts a power cut, with `NORMAL` all but
   * the last of it; with `OFF` such a cut may damage the file.
   */
  constructor(file: string, synchronous: "FULL" | "NORMAL" | "OFF" = "OFF") {
    this.#database = openSharedFile(file, {
      kind: deviceStatesKind,
      busyMs,
      synchronous,
      schema,
    });
    this.#get = this.#database.prepare("SELECT saved FROM device WHERE id = ?");
    const put = (rows: number) =>
      this.#database.prepare(
        `INSERT INTO device (id, saved) VALUES ${Array(rows).fill("(?, ?)").join()}
         ON CONFLICT (id) DO UPDATE SET saved = excluded.saved`,
      );
    this.#put = put(1);
    this.#putMany = put(rowsPerStatement);
  }

  /** What was saved of one device. */
  get(id: string): string | undefined {
    const saved = this.#get.get(id)?.["saved"];
    return typeof saved === "string" ? saved : undefined;
  }

  /** Every device that was saved. */
  *all(): Generator<[id: string, saved: string]> {
    // Pages, each at once: `iterate` would end without a word where the file is damaged.
    const page = this.#database.prepare(
      `SELECT id, saved FROM device WHERE id > ? ORDER BY id LIMIT ${pageRows}`,
    );
    for (let after = "", rows = page.all(after); rows.length > 0; rows = page.all(after)) {
      for (const { id, saved } of rows) {
        if (typeof id === "string" && typeof saved === "string") yield [id, saved];
      }
      after = String(rows.at(-1)?.["id"]);
    }
  }

  /** Saves devices in one transaction. */
  save(devices: readonly (readonly [id: string, saved: string])[]): void {
    const whole = devices.length - devices.length % rowsPerStatement;
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      for (let from = 0; from < whole; from += rowsPerStatement) {
        this.#putMany.run(...devices.slice(from, from + rowsPerStatement).flat());
      }
      for (const device of devices.slice(whole)) this.#put.run(...device);
      this.#database.exec("COMMIT");
    } catch (cause) {
      // A disk that is full has rolled back already.
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw cause;
    }
  }

  close(): void {
    this.#database.close();
  }
}
