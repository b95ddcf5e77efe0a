/**
 * The books of a load run: what was sent, acknowledged and refused, and how long it took.
 *
 * @module
 */
import { AcknowledgedRuns } from "../account.ts";
import { LatencyRecorder } from "./latency.ts";

/** Counts since the run began. */
export interface LoadTotals {
  /** Different messages; a message that is sent again counts once. */
  sent: number;
  /** Sent again with DUP after a connection broke. */
  resent: number;
  acknowledged: number;
  /** Acknowledged with a failure code (MQTT 5). */
  rejected: number;
  /** Acknowledgements that belong to no message in flight. */
  strayAcknowledgements: number;
  /** Connections that broke, and were made again. */
  reconnects: number;
  /** Connection attempts that failed. */
  connectFailures: number;
}

/** One for all connections of a run. */
export class LoadBook {
  readonly totals: LoadTotals = {
    sent: 0,
    resent: 0,
    acknowledged: 0,
    rejected: 0,
    strayAcknowledgements: 0,
    reconnects: 0,
    connectFailures: 0,
  };
  /**
   * From when the message was due to its acknowledgement. In an open loop this is the latency
   * corrected for coordinated omission: a message that had to wait for a slow server was due
   * earlier than it was sent.
   */
  readonly sinceDue = new LatencyRecorder();
  /** From when the message was first sent. */
  readonly sinceSent = new LatencyRecorder();
  readonly acknowledgedRuns: AcknowledgedRuns;
  /** Reason of rejection → how often. Also success codes that say something, as no subscribers. */
  readonly reasons = new Map<string, number>();
  /** Why connections broke or could not be made → how often. */
  readonly breaks = new Map<string, number>();

  constructor(devices: number) {
    this.acknowledgedRuns = new AcknowledgedRuns(devices);
  }

  acknowledged(
    device: number,
    counter: number,
    dueMs: number,
    sentMs: number,
    nowMs: number,
  ): void {
    this.totals.acknowledged++;
    this.acknowledgedRuns.add(device, counter);
    this.sinceDue.record(nowMs - dueMs);
    this.sinceSent.record(nowMs - sentMs);
  }

  reason(name: string): void {
    count(this.reasons, name);
  }

  breakReason(cause: unknown): void {
    count(this.breaks, cause instanceof Error ? cause.message : String(cause));
  }
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
