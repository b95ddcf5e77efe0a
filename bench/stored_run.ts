/**
 * One run of load that ends when the store has taken all of it.
 *
 * @module
 */
import type { ServerProcess } from "../gateways/testing/server_process.ts";
import { load, type LoadFlags } from "./load.ts";
import { cpuS } from "./process_stat.ts";
import { fieldsPerMessage, held, rowsReached, rowsTaken } from "./store_counts.ts";

export interface StoredRun {
  readonly count: number;
  /** From the first message sent to the last one in the store. */
  readonly storedPerS: number;
  /** CPU of the process under test for each message, in µs. */
  readonly cpuUs: number;
  /** The same of the store, and of the generator: they share the cores. */
  readonly storeCpuUs: number;
  readonly generatorCpuUs: number;
  readonly missing: number;
  readonly doubled: number;
}

/** Sends `flags.count` messages to `url`, which `pid` takes from there to the store. */
export async function storedRun(
  url: string,
  pid: number,
  store: ServerProcess,
  flags: LoadFlags & { readonly count: number },
): Promise<StoredRun> {
  const { count } = flags;
  const rows = await rowsTaken(store.url) + count * fieldsPerMessage;
  const cpuBeforeS = cpuS(pid);
  const storeBeforeS = cpuS(store.pid);
  const [sent, endedMs] = await Promise.all([load(url, flags), rowsReached(store.url, rows)]);
  const spentS = cpuS(pid) - cpuBeforeS;
  const storeSpentS = cpuS(store.pid) - storeBeforeS;
  const { readings, distinct } = await held(store.url, sent.fromMs, sent.toMs, count);
  return {
    count,
    storedPerS: count / (endedMs - sent.startedMs) * 1_000,
    cpuUs: spentS / count * 1e6,
    storeCpuUs: storeSpentS / count * 1e6,
    generatorCpuUs: sent.cpuUsPerMessage,
    missing: count - distinct,
    doubled: readings - distinct,
  };
}
