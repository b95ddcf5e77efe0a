/**
 * The counters of one shard's messages to subscribers.
 *
 * @module
 */

/** Why a message did not reach a subscriber; part of a metric's name. */
export type Loss =
  | "qos0_full"
  | "full"
  | "expired"
  | "too_large"
  | "peer_full"
  | "session_full"
  | "session_over"
  | "denied"
  | "damaged"
  | "no_member";

/** Only ever grows, but for the gauges. */
export class PubSubStats {
  /** PUBLISH packets written to subscribers. */
  delivered = 0;
  /** PUBREL packets written to subscribers. */
  released = 0;
  /** Messages sent to another shard, which has somebody who listens. */
  forwarded = 0;
  /** Messages that were sent on again after a shard's death, and had come before. */
  repeated = 0;
  /** Messages that went to another member of a shared subscription, for theirs has gone. */
  handedOver = 0;
  /** Shared subscriptions that a message went to, and too many to be written down with it. */
  sharesUnwritten = 0;
  readonly lost: Record<Loss, number> = {
    qos0_full: 0,
    full: 0,
    expired: 0,
    too_large: 0,
    peer_full: 0,
    session_full: 0,
    session_over: 0,
    denied: 0,
    damaged: 0,
    no_member: 0,
  };
  /** Subscriptions beyond a limit. */
  subscriptionsRefused = 0;
  /** What another shard sent and could not be read. */
  malformed = 0;
  /**
   * Retained messages that were not kept: for want of room, for being one more than their account may
   * have, or because the disk failed.
   */
  retainedRefused = 0;
  retainedOverQuota = 0;
  retainedFailed = 0;
  /**
   * Kept sessions: those that found no room, whose time was up, whose account was deleted or
   * disabled, and faults of their file.
   */
  sessionsRefused = 0;
  sessionsExpired = 0;
  sessionsRevoked = 0;
  keptFailed = 0;
  /** Messages with QoS 1 and 2 that kept sessions may have missed: they could not be read, or not be written. */
  missed = 0;
  /** Gauges. */
  subscriptions = 0;
  queuedMessages = 0;
  queuedBytes = 0;

  /** By metric name. */
  counters(): Record<string, number> {
    const counters: Record<string, number> = {
      sluice_pubsub_delivered_total: this.delivered,
      sluice_pubsub_released_total: this.released,
      sluice_pubsub_forwarded_total: this.forwarded,
      sluice_pubsub_repeated_total: this.repeated,
      sluice_pubsub_handed_over_total: this.handedOver,
      sluice_pubsub_shares_unwritten_total: this.sharesUnwritten,
      sluice_pubsub_malformed_total: this.malformed,
      sluice_pubsub_subscriptions_refused_total: this.subscriptionsRefused,
      sluice_pubsub_retained_refused_total: this.retainedRefused,
      sluice_pubsub_retained_over_quota_total: this.retainedOverQuota,
      sluice_pubsub_retained_failed_total: this.retainedFailed,
      sluice_sessions_refused_total: this.sessionsRefused,
      sluice_sessions_expired_total: this.sessionsExpired,
      sluice_sessions_revoked_total: this.sessionsRevoked,
      sluice_sessions_failed_total: this.keptFailed,
      sluice_sessions_missed_total: this.missed,
    };
    for (const [why, count] of Object.entries(this.lost)) {
      counters[`sluice_pubsub_lost_${why}_total`] = count;
    }
    return counters;
  }

  gauges(): Record<string, number> {
    return {
      sluice_pubsub_subscriptions: this.subscriptions,
      sluice_pubsub_queued_messages: this.queuedMessages,
      sluice_pubsub_queued_bytes: this.queuedBytes,
    };
  }
}
