/**
 * One run of load that ends when the store has taken all of it.
 *
 * @module
 */
import { load, type LoadFlags } from "./load.ts";
import { poll } from "./pause.ts";
import { cpuS } from "./process_stat.ts";
import type { BenchStore } from "./store.ts";

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
  store: BenchStore,
  flags: LoadFlags & { readonly count: number },
): Promise<StoredRun> {
  const { count } = flags;
  const goal = await store.taken() + count;
  const cpuBeforeS = cpuS(pid);
  const storeBeforeS = cpuS(store.pid);
  const [sent, endedMs] = await Promise.all([load(url, flags), takenAt(store, goal)]);
  const spentS = cpuS(pid) - cpuBeforeS;
  const storeSpentS = cpuS(store.pid) - storeBeforeS;
  const { readings, distinct } = await store.held(sent.fromMs, sent.toMs, count);
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

/** What the cores are shared by, for each message. */
export function cpuOf({ cpuUs, storeCpuUs, generatorCpuUs }: StoredRun): string {
  const parts = [cpuUs, storeCpuUs, generatorCpuUs].map((us) => us.toFixed(2));
  return `${parts[0]} + store ${parts[1]} + generator ${parts[2]} µs`;
}

/** Waits until the store has taken so many readings, and says when: ms since the epoch. */
async function takenAt(store: BenchStore, readings: number): Promise<number> {
  await poll(`${readings} readings in the store`, async () => await store.taken() >= readings, {
    everyMs: 40,
  });
  return Date.now();
}
