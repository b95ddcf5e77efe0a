/**
 * What a shard tells of itself before there is anything to tell.
 *
 * @module
 */
import { Histogram } from "./histogram.ts";
import type { ShardSnapshot } from "./snapshot.ts";

/** See the module. */
export function emptySnapshot(shard: number): ShardSnapshot {
  const noSeconds = new Histogram().snapshot();
  return {
    shard,
    received: {},
    settled: { stored: 0, duplicate: 0, deadLettered: {}, refused: {} },
    inFlight: 0,
    spoolReadings: 0,
    spoolBytes: 0,
    settleSeconds: noSeconds,
    storeSeconds: noSeconds,
    sessions: {},
    devices: { online: 0, silent: 0, offline: 0 },
    mailboxDepth: {},
    restarts: {},
    counters: {},
    gauges: {},
    notReady: [],
  };
}
