/**
 * Load over every transport at once, so that each fault is met by all of them: `sim load` over MQTT
 * with QoS 1 and 2, over stations' WebSockets and over HTTP, each with devices of its own.
 *
 * @module
 */
import { type LoadFlags, type LoadRun, startLoad, type VerifiedStore } from "./load_run.ts";
import { metrics, type Sluice, until } from "./sluice.ts";

/** Per transport: the flags of `sim load`, and how its devices' names begin. */
const transports: Readonly<Record<string, (sluice: Sluice) => LoadFlags & { url: string }>> = {
  qos1: ({ mqttUrl }) => ({ url: mqttUrl, qos: 1 }),
  qos2: ({ mqttUrl }) => ({ url: mqttUrl, qos: 2, protocol: 5 }),
  websocket: ({ httpUrl }) => ({ url: httpUrl.replace(/^http/, "ws") }),
  http: ({ httpUrl }) => ({ url: httpUrl }),
};

/** What divides among the transports. */
const shared: readonly string[] = ["rate", "count", "connections"];

export interface FleetFlags extends LoadFlags {
  readonly model: "bench" | "arrival";
  /** Connections of all transports, as `rate` and `count` are: divided among them. */
  readonly connections: number;
  /** Messages of one connection that are not acknowledged yet, at most. */
  readonly window?: number;
}

/** As `--window` is unless it is given. */
const windowDefault = 100;

/** Sums over the transports. */
export interface FleetReport {
  readonly acknowledged: number;
  readonly resent: number;
  readonly reconnects: number;
}

/** See the module. Dispose of it when its accounts are no longer needed. */
export class LoadFleet implements AsyncDisposable {
  readonly #runs: readonly (readonly [transport: string, run: LoadRun])[];

  private constructor(
    runs: readonly (readonly [string, LoadRun])[],
    /** Messages that each transport may have sent and not seen acknowledged. */
    readonly underWayMax: number,
  ) {
    this.#runs = runs;
  }

  static async start(sluice: Sluice, flags: FleetFlags): Promise<LoadFleet> {
    const all = Object.entries(transports);
    const each = Object.fromEntries(
      Object.entries(flags).map(([name, value]) =>
        shared.includes(name) ? [name, Math.ceil(Number(value) / all.length)] : [name, value]
      ),
    );
    const underWayMax = Number(each["connections"]) * (flags.window ?? windowDefault);
    const runs = await Promise.all(
      all.map(async ([transport, flagsOf]) => {
        const { url, ...own } = flagsOf(sluice);
        // Runs of both models may go on at once: the embedded store is asked by device alone.
        const topic = `${flags.model}/${flags.model}_${transport}_{n}`;
        return [transport, await startLoad(url, { ...each, ...own, topic })] as const;
      }),
    );
    return new LoadFleet(runs, underWayMax);
  }

  /** Has all send no more, before their time. */
  stop(): void {
    for (const [, run] of this.#runs) run.stop();
  }

  /** Waits for the end: every message sent must have been acknowledged. */
  async end(): Promise<FleetReport> {
    const reports = await this.#each((run) => run.end());
    const sum = (key: string) => reports.reduce((total, report) => total + Number(report[key]), 0);
    return {
      acknowledged: sum("acknowledged"),
      resent: sum("resent"),
      reconnects: sum("reconnects"),
    };
  }

  /** Fails on a reading that is missing, doubled or wrong. */
  async verify(store: VerifiedStore, url: string): Promise<void> {
    await this.#each((run) => run.verify(store, url));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#runs.map(([, run]) => run[Symbol.asyncDispose]()));
  }

  #each<T>(of: (run: LoadRun) => Promise<T>): Promise<T[]> {
    return Promise.all(this.#runs.map(async ([transport, run]) => {
      try {
        return await of(run);
      } catch (cause) {
        throw new Error(`over ${transport}: ${cause}`, { cause });
      }
    }));
  }
}

/** Starts it: see {@linkcode LoadFleet}. */
export function startFleet(sluice: Sluice, flags: FleetFlags): Promise<LoadFleet> {
  return LoadFleet.start(sluice, flags);
}

/** Transports by their label, and how many of a fleet's runs use one. */
const labels = { mqtt: 2, websocket: 1, http: 1 };

/**
 * Waits until Sluice has, since its start, taken in more over each transport than the fleets may
 * have under way: then some was acknowledged in this life, however slow the machine is.
 */
export async function acknowledging(
  { httpUrl }: Sluice,
  fleets: readonly LoadFleet[],
): Promise<void> {
  const underWay = fleets.reduce((sum, { underWayMax }) => sum + underWayMax, 0);
  await until("readings are acknowledged", async () => {
    const sum = await metrics(httpUrl);
    return Object.entries(labels).every(([transport, runs]) =>
      sum("sluice_readings_received_total", `transport="${transport}"`) > runs * underWay
    );
  }, 120_000);
}
