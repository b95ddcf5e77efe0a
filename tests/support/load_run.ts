/**
 * Runs of `sim load` with their accounts, and what `sim verify` says of them afterwards.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type SimRun, startSim } from "./sim.ts";

/** Flags of `sim load` by their names without dashes. */
export type LoadFlags = Readonly<Record<string, string | number>>;

/** The stores that `sim verify` reads. */
export type VerifiedStore = "sluice" | "victoriametrics" | "influxdb";

/** Sums over the runs. */
interface LoadReport {
  readonly acknowledged: number;
  readonly resent: number;
  readonly reconnects: number;
}

/** How long a busy machine, or one that stands still for a while, may take for what has to come. */
const patienceS = 120;
const patientLoad: LoadFlags = { "drain-s": patienceS, "give-up-s": patienceS };
/** No test asks for latencies, and exact ones take much of a small machine. */
const cheapLoad: LoadFlags = { "tick-ms": 25 };

/** See the module. Dispose of it when its accounts are no longer needed. */
export class LoadRun implements AsyncDisposable {
  readonly #accounts: readonly string[];
  readonly #run: SimRun;

  private constructor(accounts: readonly string[], run: SimRun) {
    this.#accounts = accounts;
    this.#run = run;
    run.done.catch(() => {}); // Whoever awaits it is told; a test that failed earlier does not.
  }

  /** Starts one for each set of flags, all in one process; they run beside the test. */
  static async start(runs: readonly LoadFlags[]): Promise<LoadRun> {
    const accounts = await Promise.all(
      runs.map(() => Deno.makeTempFile({ prefix: "sluice_account_" })),
    );
    const commands = runs.map((flags, i) =>
      commandOf(
        "load",
        { ...patientLoad, ...cheapLoad, account: accounts[i]!, ...flags },
        "--quiet",
      )
    );
    return new LoadRun(accounts, startSim(commands));
  }

  /** Has them send no more, before their time. */
  stop(): void {
    this.#run.stop();
  }

  /** Waits for the end: every message sent must have been acknowledged. */
  async end(): Promise<LoadReport> {
    const { code, reports, stderr } = await this.#run.done;
    assert.equal(code, 0, `${JSON.stringify(reports)} ${stderr}`);
    const sum = (key: string) => reports.reduce((total, report) => total + Number(report[key]), 0);
    return {
      acknowledged: sum("acknowledged"),
      resent: sum("resent"),
      reconnects: sum("reconnects"),
    };
  }

  /** Compares the accounts with the store; fails on a reading that is missing, doubled or wrong. */
  async verify(store: VerifiedStore, url: string, flags: LoadFlags = {}): Promise<void> {
    const all = { "wait-s": patienceS, store, url, ...flags };
    const commands = this.#accounts.map((account) => commandOf("verify", { ...all, account }));
    const { code, reports, stderr } = await startSim(commands).done;
    assert.equal(code, 0, `${JSON.stringify(reports)} ${stderr}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#run.stop();
    await this.#run.done.catch(() => {});
    for (const account of this.#accounts) await Deno.remove(account);
  }
}

function commandOf(name: string, flags: LoadFlags, ...more: string[]): string[] {
  return [name, ...Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, `${value}`])]
    .concat(more);
}

/** Starts one run: see {@linkcode LoadRun.start}. */
export function startLoad(url: string, flags: LoadFlags): Promise<LoadRun> {
  return LoadRun.start([{ url, ...flags }]);
}

/** A pause in real time: real servers know no other. */
export function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
