/**
 * VictoriaMetrics, and what it took and holds by its own account.
 *
 * @module
 */
import type { ServerProcess } from "../gateways/testing/server_process.ts";
import { startVictoriaMetrics } from "../gateways/testing/servers.ts";
import { pause } from "./pause.ts";
import type { BenchStore, Held } from "./store.ts";

/** Numbers in each payload of the load's `bench` model that are stored: a row each. */
const fieldsPerMessage = 4;
/** New series are found by queries only after a while, because VictoriaMetrics caches lookups. */
const findMs = 15_000;

/** See the module. */
export class VictoriaStore implements BenchStore {
  readonly #server: ServerProcess;

  private constructor(server: ServerProcess) {
    this.#server = server;
  }

  static async start(): Promise<VictoriaStore> {
    return new VictoriaStore(await startVictoriaMetrics());
  }

  get url(): string {
    return this.#server.url;
  }

  get pid(): number {
    return this.#server.pid;
  }

  async taken(): Promise<number> {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    const rows = /^vm_rows_inserted_total\{type="influx"\} (\d+)/m.exec(text)?.[1] ?? 0;
    return Math.floor(Number(rows) / fieldsPerMessage);
  }

  async held(fromMs: number, toMs: number, expected: number): Promise<Held> {
    const endMs = performance.now() + findMs;
    for (;;) {
      const found = await this.#heldNow(fromMs, toMs);
      if (found.distinct >= expected || performance.now() > endMs) return found;
      await pause(1_000);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#server[Symbol.asyncDispose]();
  }

  async #heldNow(fromMs: number, toMs: number): Promise<Held> {
    await (await fetch(`${this.url}/internal/force_flush`)).body?.cancel();
    const windowMs = toMs - fromMs;
    const ask = async (rollup: string): Promise<number> => {
      const query = new URLSearchParams({
        query: `sum(${rollup}(bench_seq[${windowMs}ms]))`,
        time: String((toMs - 1) / 1_000),
        nocache: "1",
        latencyOffset: "1ms",
      });
      const answer: unknown = await (await fetch(`${this.url}/api/v1/query?${query}`)).json();
      const value = /"value":\[[^,]*,"([^"]*)"\]/.exec(JSON.stringify(answer))?.[1];
      return Number(value ?? 0);
    };
    // The smaller one first: what comes to light between the two must not look like doubles' lack.
    const distinct = await ask("distinct_over_time");
    return { distinct, readings: await ask("count_over_time") };
  }
}
