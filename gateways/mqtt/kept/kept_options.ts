/**
 * What kept sessions are held to, and what they need of their surroundings.
 *
 * @module
 */
import type { Clock } from "../../../runtime/clock.ts";
import type { PubSubStats } from "../pubsub/pubsub_stats.ts";
import type { Unfinished } from "../pubsub/shared_hold.ts";
import type { SubscriptionTable } from "../pubsub/subscription_table.ts";
import type { CommitBounds } from "./kept_commit.ts";

export interface KeptBounds extends CommitBounds {
  /** Sessions that are kept. */
  readonly countMax: number;
}

/** What is the same for every shard of a process. */
export interface KeptSettings extends KeptBounds {
  readonly file: string;
  /** How long a shard waits while somebody else writes; it does nothing else meanwhile. */
  readonly busyMs: number;
  /** Of shards that take connections. */
  readonly shards: number;
  /** This shard has no predecessor in its process. */
  readonly first: boolean;
  /** The file could not be opened, written or read. */
  failed(cause: unknown): void;
}

export interface KeptSessionsOptions extends KeptSettings {
  readonly shard: number;
  readonly clock: Clock;
  readonly table: SubscriptionTable;
  readonly stats: PubSubStats;
  /** Every other shard is to read these sessions anew. */
  changed(ids: readonly number[]): void;
  /** Resolves when they have; `undefined`: they have. */
  known(): Promise<unknown> | undefined;
  /** Something waits for a session that is connected to another shard. */
  queued(shard: number, id: number): void;
  /** Left by a session that has ended: others of its shared subscriptions are to have it, soon. */
  left(unfinished: readonly Unfinished[]): void;
}

/** What an account may do. */
export interface KeptPermit {
  /** Whether the topic name in these bytes may be published to. */
  publish(bytes: Uint8Array, start: number, end: number): boolean;
  /** Whether every topic that the filter matches may be read. */
  subscribe(filter: string): boolean;
}
