/**
 * What a shard tells of itself: see {@linkcode ShardSnapshot}.
 *
 * @module
 */
import type { Ledger } from "../actors/ledger.ts";
import type { ShardSnapshot } from "../actors/snapshot.ts";
import type { TokenGate } from "../gateways/auth/token_gate.ts";
import { stdoutLines } from "../gateways/log/stdout.ts";
import type { ActorSystem } from "../runtime/system.ts";
import type { Guard } from "./guard.ts";
import type { ReadingPath } from "./reading_path.ts";
import type { ShardEdges } from "./shard_edges.ts";
import type { ShardMessages } from "./shard_messages.ts";

/** Where the parts of a snapshot come from. */
export interface SnapshotSources {
  readonly shard: number;
  readonly ledger: Ledger;
  readonly system: ActorSystem;
  readonly path: ReadingPath;
  readonly edges: ShardEdges;
  readonly messages: ShardMessages;
  readonly guard: Guard;
  readonly tokens: TokenGate;
}

export function shardSnapshot(sources: SnapshotSources): ShardSnapshot {
  const { shard, ledger, system, path, edges, messages, guard, tokens } = sources;
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
  const stalled = events.stalledFor !== "";
  if (stalled) notReady.push(events.stalledFor);
  if (writer?.notReady !== undefined) {
    const meanwhile = stalled ? "" : " (readings are taken all the same, and wait in the spool)";
    notReady.push(`the store is away: ${writer.notReady}${meanwhile}`);
  }
  return {
    shard,
    received: books.received,
    settled: { stored: books.stored, duplicate: books.duplicate, deadLettered, refused },
    inFlight: books.inFlight,
    spoolReadings: books.spool,
    spoolBytes: path.spool.bytes,
    settleSeconds: path.settleSeconds.snapshot(),
    storeSeconds: path.storeSeconds.snapshot(),
    sessions: { ...edges.stats.sessionsBy, broker: brokers.connected },
    devices: path.devices.views.presence(),
    mailboxDepth,
    restarts: Object.fromEntries(system.restartsByKind),
    counters: {
      ...path.devices.counters(),
      ...path.counters,
      ...edges.counters(),
      ...messages.counters(),
      ...guard.counters(),
      ...tokens.counters(),
      ...stdoutLines.counters(),
      ...runtimeLetters,
    },
    gauges: {
      sluice_replay_readings: path.spool.backlog,
      sluice_dead_letters: path.letters.count,
      sluice_dead_letters_bytes: path.letters.bytes,
      sluice_lane_bytes: path.hub.usedBytes,
      sluice_topics_known: path.topics.size,
      ...path.devices.gauges(),
      ...messages.gauges(),
      sluice_live_bytes: writer?.liveBytes ?? 0,
    },
    notReady,
  };
}
