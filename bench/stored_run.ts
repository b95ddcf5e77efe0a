/**
 * One run of load that ends when the store has taken all of it.
 *
 * @module
 */
import { load, type LoadFlags } from "./load.ts";
import { poll } from "./pause.ts";
import { cpuS, idleS } from "./process_stat.ts";
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
  /** Share of all cores that was idle from when the store took the first reading to the last. */
  readonly idleShare: number;
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
  const before = await store.taken();
  const cpuBeforeS = cpuS(pid);
  const storeBeforeS = cpuS(store.pid);
  const [sent, end] = await Promise.all([load(url, flags), taken(store, before, count)]);
  const spentS = cpuS(pid) - cpuBeforeS;
  const storeSpentS = cpuS(store.pid) - storeBeforeS;
  const { readings, distinct } = await store.held(sent.fromMs, sent.toMs, count);
  return {
    count,
    storedPerS: count / (end.endedMs - sent.startedMs) * 1_000,
    cpuUs: spentS / count * 1e6,
    storeCpuUs: storeSpentS / count * 1e6,
    generatorCpuUs: sent.cpuUsPerMessage,
    idleShare: end.idleShare,
    missing: count - distinct,
    doubled: readings - distinct,
  };
}

/** What the cores are shared by, for each message. */
export function cpuOf({ cpuUs, storeCpuUs, generatorCpuUs, idleShare }: StoredRun): string {
  const parts = [cpuUs, storeCpuUs, generatorCpuUs].map((us) => us.toFixed(2));
  return `${parts[0]} + store ${parts[1]} + generator ${parts[2]} µs, ` +
    `cores idle ${(idleShare * 100).toFixed(0)} %`;
}

/** What all cores could do in a second if they did nothing else, at `us` of CPU for each. */
export function limitPerS(us: number): number {
  return navigator.hardwareConcurrency * 1e6 / us;
}

/** Waits until the store has taken `count` more, and says when: ms since the epoch. */
async function taken(
  store: BenchStore,
  before: number,
  count: number,
): Promise<{ readonly endedMs: number; readonly idleShare: number }> {
  let first: { readonly atMs: number; readonly idleS: number } | undefined;
  await poll(`${count} readings in the store`, async () => {
    const came = await store.taken() - before;
    if (came > 0) first ??= { atMs: performance.now(), idleS: idleS() };
    return came >= count;
  }, { everyMs: 40 });
  const endedMs = Date.now();
  const { atMs, idleS: firstIdleS } = first!;
  const coreS = (performance.now() - atMs) / 1_000 * navigator.hardwareConcurrency;
  return { endedMs, idleShare: (idleS() - firstIdleS) / coreS };
}
