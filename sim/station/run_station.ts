/**
 * A station: reads its sensors, puts each reading in its own store, and sends from there.
 *
 * @module
 */
import type { SimClock } from "../clock.ts";
import { CommandError, exitCodes } from "../exit_code.ts";
import { Walk } from "../models/walk.ts";
import { grouped, type Progress } from "../progress.ts";
import { Random } from "../random.ts";
import { StationQueue } from "./queue.ts";
import type { StationOptions } from "./station_options.ts";
import type { Access } from "./access.ts";
import { Uplink, type UplinkEvents, type UplinkSocket, type UplinkTotals } from "./uplink.ts";

/** Counts since the start; `queued` waits for the next one. */
export interface StationTotals extends UplinkTotals {
  readonly made: number;
  readonly queued: number;
  readonly logins: number;
}

export interface StationEnvironment {
  readonly connect: (url: string, events: UplinkEvents) => UplinkSocket;
  readonly access: Access;
  /** See `UplinkOptions`. */
  readonly trouble: (why: string) => void;
  readonly clock: SimClock;
  readonly progress: Progress;
  readonly stop: AbortSignal;
}

/** @throws {CommandError} that names the flag. */
function openQueue(path: string): StationQueue {
  try {
    return StationQueue.open(path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : cause;
    throw new CommandError(exitCodes.input, `cannot use --queue ${path}: ${why}`, { cause });
  }
}

const drainPollMs = 20;
const progressMs = 200;

/** Runs until `count` readings are made and all in the queue are acknowledged, or it is stopped. */
export async function runStation(
  options: StationOptions,
  { connect, access, trouble, clock, progress, stop }: StationEnvironment,
): Promise<StationTotals> {
  const { name, count, rate, drift, skewMs } = options;
  const queue = openQueue(options.queue);
  const uplink = new Uplink({
    connect,
    queue,
    station: name,
    access,
    topic: name,
    backlogRate: options.backlogRate,
    clock,
    trouble,
  });
  const done = new AbortController();
  const end = AbortSignal.any([stop, done.signal]);
  const running = Promise.all([
    uplink.run(end),
    showProgress(progress, { uplink, queue, count, clock, end }),
  ]);
  const random = new Random(queue.nextId);
  const walk = new Walk(
    { mean: 20, step: 0.2, pull: 0.01, min: -40, max: 60, decimals: 2 },
    random,
  );
  const startMs = clock.nowMs();
  const startWallMs = clock.wallMs();
  // A station that was stopped goes on where it was: `count` is of all its runs.
  let made = 0;
  let lastMs = 0;
  while (!stop.aborted && (count === 0 || queue.nextId <= count)) {
    const elapsedMs = clock.nowMs() - startMs;
    const wallMs = startWallMs + skewMs + elapsedMs * (1 + drift / 1e6);
    // Two readings of one time would be one.
    lastMs = Math.max(lastMs + 1, Math.round(wallMs));
    const seq = queue.nextId;
    const { id } = queue.add(
      JSON.stringify({ seq, temperature: walk.next(), timestamp: new Date(lastMs).toISOString() }),
    );
    made++;
    uplink.added(id);
    const dueMs = made / rate * 1_000 - (clock.nowMs() - startMs);
    if (dueMs > 0) await clock.sleep(dueMs, stop);
  }
  while (!stop.aborted && queue.size > 0) await clock.sleep(drainPollMs, stop);
  done.abort();
  await running;
  queue.close();
  return { made, queued: queue.size, logins: access.logins, ...uplink.totals };
}

interface Shown {
  readonly uplink: Uplink;
  readonly queue: StationQueue;
  readonly count: number;
  readonly clock: SimClock;
  readonly end: AbortSignal;
}

async function showProgress(
  progress: Progress,
  { uplink, queue, count, clock, end }: Shown,
): Promise<void> {
  while (!end.aborted) {
    const share = count === 0 ? undefined : (queue.nextId - 1 - queue.size) / count;
    progress.update(
      clock.nowMs(),
      share,
      () =>
        `${uplink.connected ? "connected" : "not connected"}, ` +
        `${grouped(uplink.totals.acknowledged)} readings acknowledged, ` +
        `${grouped(queue.size)} in the queue`,
    );
    await clock.sleep(progressMs, end);
  }
  progress.end();
}
