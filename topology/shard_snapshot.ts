/**
 * What a shard tells of itself: see {@linkcode ShardSnapshot}.
 *
 * @module
 */
import type { Ledger } from "../actors/ledger.ts";
import type { ShardSnapshot } from "../actors/snapshot.ts";
import type { ActorSystem } from "../runtime/system.ts";
import type { ReadingPath } from "./reading_path.ts";
import type { ShardEdges } from "./shard_edges.ts";

export function shardSnapshot(
  shard: number,
  ledger: Ledger,
  system: ActorSystem,
  path: ReadingPath,
  edges: ShardEdges,
): ShardSnapshot {
  const books = ledger.books();
  const { deadLettered, refused } = ledger.reasons();
  const brokers = edges.brokerState;
  const mailboxDepth: Record<string, number> = {};
  for (const [kind, { mailboxDepth: depth }] of system.summary()) mailboxDepth[kind] = depth;
  const runtimeLetters: Record<string, number> = {};
  for (const [reason, count] of system.deadLetters.byReason) {
    runtimeLetters[`sluice_actor_dead_letters_${reason}_total`] = count;
  }
  const { writer, events } = path;
  const notReady = [...brokers.notReady];
  if (events.stalledFor !== "") notReady.push(events.stalledFor);
  if (writer?.notReady !== undefined) notReady.push(`the store is away: ${writer.notReady}`);
  return {
    shard,
    received: books.received,
    settled: { stored: books.stored, duplicate: books.duplicate, deadLettered, refused },
    inFlight: books.inFlight,
    spoolReadings: books.spool,
    spoolBytes: path.spool.bytes,
    settleSeconds: path.settleSeconds.snapshot(),
    storeSeconds: path.storeSeconds.snapshot(),
    sessions: { mqtt: edges.stats.sessions, broker: brokers.connected },
    devices: path.devices.presence(),
    mailboxDepth,
    restarts: Object.fromEntries(system.restartsByKind),
    counters: {
      ...path.devices.counters(),
      ...path.counters,
      ...edges.stats.counters(),
      ...runtimeLetters,
    },
    gauges: {
      sluice_replay_readings: path.spool.backlog,
      sluice_dead_letters: path.letters.count,
      sluice_dead_letters_bytes: path.letters.bytes,
      sluice_lane_bytes: path.hub.usedBytes,
      ...path.devices.gauges(),
      sluice_live_bytes: writer?.liveBytes ?? 0,
    },
    notReady,
  };
}
