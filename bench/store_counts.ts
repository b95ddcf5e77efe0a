/**
 * What VictoriaMetrics took and holds, by its own account.
 *
 * @module
 */
import { pause, poll } from "./pause.ts";

/** Numbers in each payload of the load's `bench` model that are stored: a row each. */
export const fieldsPerMessage = 4;

/** Rows of line protocol taken in so far. */
export async function rowsTaken(storeUrl: string): Promise<number> {
  const text = await (await fetch(`${storeUrl}/metrics`)).text();
  return Number(/^vm_rows_inserted_total\{type="influx"\} (\d+)/m.exec(text)?.[1] ?? 0);
}

/** What is held of the readings whose own time lies in a window. */
export interface Held {
  /** With doubles. */
  readonly readings: number;
  /** Different sequence numbers, device by device. */
  readonly distinct: number;
}

/** New series are found by queries only after a while, because VictoriaMetrics caches lookups. */
const findMs = 15_000;

/**
 * Counts the readings with times in `[fromMs, toMs)`; asks again for a while as long as there are
 * fewer than `expected`.
 */
export async function held(
  storeUrl: string,
  fromMs: number,
  toMs: number,
  expected: number,
): Promise<Held> {
  const endMs = performance.now() + findMs;
  for (;;) {
    const found = await heldNow(storeUrl, fromMs, toMs);
    if (found.distinct >= expected || performance.now() > endMs) return found;
    await pause(1_000);
  }
}

async function heldNow(storeUrl: string, fromMs: number, toMs: number): Promise<Held> {
  await (await fetch(`${storeUrl}/internal/force_flush`)).body?.cancel();
  const windowMs = toMs - fromMs;
  const ask = async (rollup: string): Promise<number> => {
    const query = new URLSearchParams({
      query: `sum(${rollup}(bench_seq[${windowMs}ms]))`,
      time: String((toMs - 1) / 1_000),
      nocache: "1",
      latencyOffset: "1ms",
    });
    const answer: unknown = await (await fetch(`${storeUrl}/api/v1/query?${query}`)).json();
    const value = /"value":\[[^,]*,"([^"]*)"\]/.exec(JSON.stringify(answer))?.[1];
    return Number(value ?? 0);
  };
  return { readings: await ask("count_over_time"), distinct: await ask("distinct_over_time") };
}

/** Waits until the store has taken so many rows, and says when: ms since the epoch. */
export async function rowsReached(storeUrl: string, rows: number): Promise<number> {
  await poll(`${rows} rows in the store`, async () => await rowsTaken(storeUrl) >= rows, {
    everyMs: 40,
  });
  return Date.now();
}
