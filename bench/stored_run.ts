/**
 * One run of load that ends when the store has taken all of it.
 *
 * @module
 */
import { books, type Sluice } from "../tests/support/sluice.ts";
import { load, type LoadFlags } from "./load.ts";
import { poll } from "./pause.ts";
import { cpuS, idleS } from "./process_stat.ts";
import type { BenchStore } from "./store.ts";

/** What takes the load from `url` to the store. */
export interface UnderTest {
  readonly url: string;
  readonly pid: number;
  /**
   * Readings so far that the store has said yes to. Where it is absent the store is asked, and
   * VictoriaMetrics makes its counters anew only once a second.
   */
  stored?(): Promise<number>;
}

/** `sluice`, loaded at `url`: itself, or the broker that it reads from. */
export function underTest({ process, httpUrl }: Sluice, url: string): UnderTest {
  return { url, pid: process.pid, stored: async () => (await books(httpUrl)).stored };
}

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

/**
 * Sends `flags.count` messages, and has the store counted afterwards, so that the end that the
 * process under test tells is not taken on trust.
 */
export async function storedRun(
  { url, pid, stored }: UnderTest,
  store: BenchStore,
  flags: LoadFlags & { readonly count: number },
): Promise<StoredRun> {
  const { count } = flags;
  const soFar = stored ?? (() => store.taken());
  const [storedBefore, takenBefore] = [await soFar(), await store.taken()];
  const cpuBeforeS = cpuS(pid);
  const storeBeforeS = cpuS(store.pid);
  const [sent, first] = await Promise.all([load(url, flags), firstTaken(store, takenBefore)]);
  // Not asked before everything is sent: the answers cost the process under test something.
  const all = storedBefore + count;
  await poll(`${count} readings stored`, async () => await soFar() >= all, { everyMs: 20 });
  const endedMs = Date.now();
  const idle = idleS() - first.idleS;
  const coreS = (performance.now() - first.atMs) / 1_000 * navigator.hardwareConcurrency;
  const spentS = cpuS(pid) - cpuBeforeS;
  const storeSpentS = cpuS(store.pid) - storeBeforeS;
  const { readings, distinct } = await store.held(sent.fromMs, sent.toMs, count);
  return {
    count,
    storedPerS: count / (endedMs - sent.startedMs) * 1_000,
    cpuUs: spentS / count * 1e6,
    storeCpuUs: storeSpentS / count * 1e6,
    generatorCpuUs: sent.cpuUsPerMessage,
    idleShare: idle / coreS,
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

/** Waits until the store has taken the first reading, and says when, and how idle all were then. */
async function firstTaken(
  store: BenchStore,
  before: number,
): Promise<{ readonly atMs: number; readonly idleS: number }> {
  await poll("a reading in the store", async () => await store.taken() > before, { everyMs: 40 });
  return { atMs: performance.now(), idleS: idleS() };
}
