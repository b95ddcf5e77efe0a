/**
 * An embedded store in a temporary directory, for tests.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { openForWriting } from "../store_database.ts";

/** Opens a new store for the time of `use`. */
export async function withStore(
  use: (database: DatabaseSync, path: string) => void | Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "sluice_store_" });
  const path = `${dir}/store.db`;
  const database = openForWriting(path);
  try {
    await use(database, path);
  } finally {
    if (database.isOpen) database.close();
    await Deno.remove(dir, { recursive: true });
  }
}
