/**
 * Load over every transport at once, so that each fault is met by all of them: `sim load` over MQTT
 * with QoS 1 and 2, over stations' WebSockets and over HTTP, each with devices of its own.
 *
 * @module
 */
import { type LoadFlags, LoadRun } from "./load_run.ts";
import { books, metrics, type Sluice, until } from "./sluice.ts";

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

/** See the module. Dispose of it when its accounts are no longer needed. */
export type LoadFleet = LoadRun & {
  /** Messages that each transport may have sent and not seen acknowledged. */
  readonly underWayMax: number;
};

/** Starts it: see {@linkcode LoadFleet}. */
export async function startFleet(sluice: Sluice, flags: FleetFlags): Promise<LoadFleet> {
  const all = Object.entries(transports);
  const each = Object.fromEntries(
    Object.entries(flags).map(([name, value]) =>
      shared.includes(name) ? [name, Math.ceil(Number(value) / all.length)] : [name, value]
    ),
  );
  const run = await LoadRun.start(all.map(([transport, flagsOf]) => {
    // Runs of both models may go on at once: the embedded store is asked by device alone.
    const name = `${flags.model}_${transport}`;
    return { ...each, ...flagsOf(sluice), "client-id": name, topic: `${flags.model}/${name}_{n}` };
  }));
  const underWayMax = Number(each["connections"]) * (flags.window ?? windowDefault);
  return Object.assign(run, { underWayMax });
}

/** Waits until so many more readings were taken in: load is there, and goes on. */
export async function taking({ httpUrl }: Sluice, more = 1_000): Promise<void> {
  const { received } = await books(httpUrl);
  await until(`${more} more readings`, async () => {
    return (await books(httpUrl)).received >= received + more;
  });
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
