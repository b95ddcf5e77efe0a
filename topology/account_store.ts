/**
 * Opens the database of the accounts.
 *
 * @module
 */
import type { Config } from "../config.ts";
import type { AccountStore } from "../gateways/auth/account_store.ts";
import { damageOf } from "../gateways/sqlite/put_aside.ts";
import { SqliteAccounts } from "../gateways/auth/sqlite_accounts.ts";
import { messageOf } from "../runtime/message_of.ts";

/**
 * The database that the configuration names. The client of PostgreSQL is loaded where it is needed.
 *
 * @param file of the accounts when they are not in PostgreSQL.
 * @throws {Error} when its file cannot be used.
 */
export async function openAccountStore(config: Config, file: string): Promise<AccountStore> {
  const { url } = config.postgres;
  if (url !== undefined) {
    const { PostgresAccounts } = await import("../gateways/auth/postgres_accounts.ts");
    return new PostgresAccounts(url);
  }
  try {
    Deno.openSync(file, { create: true, write: true, mode: 0o600 }).close();
    const damage = damageOf(file);
    if (damage !== undefined) throw new Error(`it is damaged: ${damage}`);
    return new SqliteAccounts(file);
  } catch (cause) {
    const why = messageOf(cause);
    throw new Error(
      `Cannot use the data directory: the accounts in ${file}: ${why}. Put another copy in its ` +
        `place, or move it away to begin anew, with a first admin`,
      { cause },
    );
  }
}
