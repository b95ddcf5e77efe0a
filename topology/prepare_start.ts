/**
 * What is in order before a Worker starts: the configuration, the data directory, whose devices are
 * whose, the ports, and the accounts. What is in the way of one of them ends the start here.
 *
 * @module
 */
import { diskFiles } from "../actors/segment_log/disk_files.ts";
import type { Config } from "../config.ts";
import type { AccountStore } from "../gateways/auth/account_store.ts";
import type { TokenKey } from "../gateways/auth/token.ts";
import { systemClock } from "../runtime/clock.ts";
import { type Plan, shardCount } from "../topology.ts";
import { openAccountStore } from "./account_store.ts";
import { putDamagedAside } from "./damaged_files.ts";
import { type DataDirectory, openDataDirectory } from "./data_directory.ts";
import { makePlan } from "./plan.ts";
import { shardRoutes } from "./routes.ts";
import { settleOwners } from "./spool_owners.ts";
import { tellSlow, tellSlowStep } from "./tell_slow.ts";
import { checkCertificates } from "./tls_check.ts";
import { tokenKeys } from "./token_keys.ts";

export interface PreparedStart {
  /** Held by this process, to be released by the caller. */
  readonly data: DataDirectory;
  readonly plan: Plan;
  readonly keys: readonly TokenKey[];
  /** Open, to be closed by the caller. */
  readonly accounts: AccountStore;
}

/**
 * Rejects with an error that says what to do when something of this machine is in the way; then
 * nobody holds the data directory.
 */
export async function prepareStart(config: Config): Promise<PreparedStart> {
  await shardRoutes(config); // A mistake is told at once, and not by every shard.
  await checkCertificates(config, systemClock.now());
  const data = openDataDirectory(config.dataDir);
  try {
    const damaged = tellSlowStep(
      "the databases of devices, retained messages and kept sessions are checked",
      () => putDamagedAside(data.paths),
    );
    const settling = settleOwners({
      config,
      paths: data.paths,
      files: diskFiles,
      clock: systemClock,
      shards: shardCount(config),
      statesLost: damaged.has("devices"),
    });
    const owners = await tellSlow("the spools' note of shards is read", settling);
    const plan = makePlan(config, data.paths, owners);
    const keys = await tokenKeys(config, data.paths.tokenKey);
    const opening = openAccountStore(config, data.paths.accounts);
    const accounts = await tellSlow("the accounts' database is opened", opening);
    return { data, plan, keys, accounts };
  } catch (cause) {
    data.lock.release();
    throw cause;
  }
}
