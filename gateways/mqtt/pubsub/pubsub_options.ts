/**
 * What the messages of one shard are held to, and what they need of their surroundings.
 *
 * @module
 */
import type { Clock } from "../../../runtime/clock.ts";
import type { KeptSettings } from "../kept/kept_options.ts";
import type { QueueLimits } from "./delivery_queue.ts";
import type { PubSubStats } from "./pubsub_stats.ts";
import type { Retained } from "./retained.ts";

export interface PubSubOptions {
  readonly shard: number;
  /** This one and the others, which divide what is subscribed to among them. */
  readonly shards: number;
  readonly clock: Clock;
  readonly queue: QueueLimits;
  /** Bytes that may wait for another shard. */
  readonly peerBytesMax: number;
  /** For marks of messages that may be sent on again. */
  readonly marksBytesMax: number;
  /** Subscriptions of one session, and of this shard. */
  readonly sessionSubscriptionsMax: number;
  readonly subscriptionsMax: number;
  /** Levels of a filter. */
  readonly filterLevelsMax: number;
  /** QoS 1 and 2 messages on their way to one subscriber. */
  readonly inFlightMax: number;
  readonly retained: Pick<Retained, "keep" | "mayKeep" | "flush" | "page">;
  readonly stats?: PubSubStats;
  /** Absent: no session outlives its connection. */
  readonly kept?: KeptSettings | undefined;
}
