/**
 * What a shard tells of itself, as plain data that crosses Workers: the source of `/metrics`,
 * `/readyz` and the tests of the conservation law.
 *
 * @module
 */
import type { Transport } from "./intake.ts";

/** A histogram in Prometheus terms: `counts[i]` observations fell at or below `bounds[i]` (not cumulative); the last count is +Inf. */
export interface HistogramSnapshot {
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  readonly sum: number;
}

/** Taken between two messages of a shard, so it is consistent within itself. */
export interface ShardSnapshot {
  readonly shard: number;
  /** What it is called instead, when it is an edge and no shard. */
  readonly name?: string;
  readonly received: Readonly<Partial<Record<Transport, number>>>;
  /** By outcome, then by reason (`""` for stored and duplicate). */
  readonly settled: {
    readonly stored: number;
    readonly duplicate: number;
    readonly deadLettered: Readonly<Record<string, number>>;
    readonly refused: Readonly<Record<string, number>>;
  };
  readonly inFlight: number;
  readonly spoolReadings: number;
  readonly spoolBytes: number;
  /** Seconds from received to durable, and of one write to the store. */
  readonly settleSeconds: HistogramSnapshot;
  readonly storeSeconds: HistogramSnapshot;
  /** `ws`: MQTT over WebSocket. */
  readonly sessions: Readonly<Partial<Record<Transport | "ws", number>>>;
  readonly devices: { readonly online: number; readonly silent: number; readonly offline: number };
  /** Sum of mailbox depths and count of restarts, by the `kind` of the child spec. */
  readonly mailboxDepth: Readonly<Record<string, number>>;
  readonly restarts: Readonly<Record<string, number>>;
  /** Further counters and gauges: metric name (with `sluice_`, and a label if need be) → value. */
  readonly counters: Readonly<Record<string, number>>;
  readonly gauges: Readonly<Record<string, number>>;
  /** Empty when the shard can take readings; else one sentence each, with what to do. */
  readonly notReady: readonly string[];
}
