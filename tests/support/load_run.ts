/**
 * One run of `sim load` with its account, and what `sim verify` says of it afterwards.
 *
 * @module
 */
import assert from "node:assert/strict";
import { sim, type SimResult, type SimRun, startSim } from "./sluice.ts";

/** Flags of `sim load` by their names without dashes. */
export type LoadFlags = Readonly<Record<string, string | number>>;

/** The stores that `sim verify` reads. */
export type VerifiedStore = "sluice" | "victoriametrics" | "influxdb";

/** See the module. Dispose of it when its account is no longer needed. */
export class LoadRun implements AsyncDisposable {
  readonly #account: string;
  readonly #run: SimRun;

  private constructor(account: string, run: SimRun) {
    this.#account = account;
    this.#run = run;
    run.done.catch(() => {}); // Whoever awaits it is told; a test that failed earlier does not.
  }

  /** Starts it; it runs beside the test. */
  static async start(mqttUrl: string, flags: LoadFlags): Promise<LoadRun> {
    const account = await Deno.makeTempFile({ prefix: "sluice_account_" });
    const all = { url: mqttUrl, account, ...flags };
    const args = Object.entries(all).flatMap(([name, value]) => [`--${name}`, String(value)]);
    return new LoadRun(account, startSim(["load", ...args, "--quiet"]));
  }

  /** Has it send no more, before its time. */
  stop(): void {
    this.#run.stop();
  }

  /** Waits for its end: every message sent must have been acknowledged. Gives the report. */
  async end(): Promise<SimResult["report"]> {
    const { code, report, stderr } = await this.#run.done;
    assert.equal(code, 0, `${JSON.stringify(report)} ${stderr}`);
    return report;
  }

  /** Waits for its end, however that is. */
  get done(): Promise<SimResult> {
    return this.#run.done;
  }

  /** Compares the account with the store; fails on a reading that is missing, doubled or wrong. */
  async verify(
    store: VerifiedStore,
    url: string,
    flags: LoadFlags = {},
  ): Promise<SimResult["report"]> {
    const all = { account: this.#account, store, url, ...flags };
    const args = Object.entries(all).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const { code, report, stderr } = await sim(["verify", ...args]);
    assert.equal(code, 0, `${JSON.stringify(report)} ${stderr}`);
    return report;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#run.stop();
    await this.#run.done.catch(() => {});
    await Deno.remove(this.#account);
  }
}

/** Starts a run: see {@linkcode LoadRun.start}. */
export function startLoad(mqttUrl: string, flags: LoadFlags): Promise<LoadRun> {
  return LoadRun.start(mqttUrl, flags);
}

/** A pause in real time: real servers know no other. */
export function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
