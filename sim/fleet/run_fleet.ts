/**
 * A fleet: devices that each send a reading now and then over a connection of their own.
 *
 * @module
 */
import type { SimClock } from "../clock.ts";
import { models } from "../models/model.ts";
import { grouped, type Progress } from "../progress.ts";
import { Random } from "../random.ts";
import type { FleetOptions } from "./fleet_options.ts";

/** A connection to a broker. It connects by itself, again and again. */
export interface FleetClient {
  readonly connected: boolean;
  /** Resolves once the broker has acknowledged; rejects when the client was closed before. */
  publish(topic: string, payload: string): Promise<void>;
  /** Ends the session, waiting a moment for what is in flight. */
  close(): Promise<void>;
}

/** Counts since the fleet started. */
export interface FleetTotals {
  published: number;
  acknowledged: number;
  /** Readings that a device did not send, since too many of its own were still open. */
  skipped: number;
  failed: number;
}

export interface FleetEnvironment {
  connect(clientId: string): FleetClient;
  readonly clock: SimClock;
  readonly progress: Progress;
  readonly stop: AbortSignal;
}

/** A device has no store of its own: what it cannot send soon is not worth sending. */
const openMax = 100;
/** New connections a second while the fleet starts. */
const connectsPerS = 500;
const progressMs = 200;

/** Runs until the duration is over or `stop` aborts. */
export async function runFleet(
  options: FleetOptions,
  env: FleetEnvironment,
): Promise<FleetTotals> {
  const { clock, progress } = env;
  const totals: FleetTotals = { published: 0, acknowledged: 0, skipped: 0, failed: 0 };
  const random = new Random(options.seed);
  const end = new AbortController();
  const stop = AbortSignal.any([env.stop, end.signal]);
  const startMs = clock.nowMs();
  const clients: FleetClient[] = [];
  const running = Array.from({ length: options.devices }, async (_, n) => {
    await clock.sleep(n / connectsPerS * 1_000, stop);
    if (stop.aborted) return;
    const client = env.connect(`${options.clientId}-${n}`);
    clients.push(client);
    await runDevice(n, client, options, random.fork(n), clock, totals, stop);
    await client.close();
  });
  const durationMs = options.durationS === 0 ? Infinity : options.durationS * 1_000;
  while (!stop.aborted) {
    const nowMs = clock.nowMs();
    if (nowMs - startMs >= durationMs) end.abort();
    const share = durationMs === Infinity ? undefined : (nowMs - startMs) / durationMs;
    progress.update(nowMs, share, () => {
      const up = clients.filter(({ connected }) => connected).length;
      return `${grouped(up)} of ${grouped(options.devices)} devices connected, ` +
        `${grouped(totals.acknowledged)} of ${grouped(totals.published)} readings acknowledged`;
    });
    await clock.sleep(progressMs, stop);
  }
  await Promise.all(running);
  progress.end();
  return totals;
}

async function runDevice(
  n: number,
  client: FleetClient,
  { models: names, rate, jitter }: FleetOptions,
  random: Random,
  clock: SimClock,
  totals: FleetTotals,
  stop: AbortSignal,
): Promise<void> {
  const device = models[names[n % names.length]!](n, random);
  const pauseMs = 1_000 / rate;
  let open = 0;
  await clock.sleep(random.next() * pauseMs, stop);
  while (!stop.aborted) {
    if (open >= openMax) {
      totals.skipped++;
    } else {
      open++;
      totals.published++;
      client.publish(device.topic, JSON.stringify(device.reading(clock.wallMs()))).then(
        () => totals.acknowledged++,
        () => totals.failed++,
      ).finally(() => open--);
    }
    await clock.sleep(pauseMs * random.between(1 - jitter, 1 + jitter), stop);
  }
}
