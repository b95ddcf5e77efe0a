/**
 * Messages to subscribers, wired up in a shard, and in the HTTP edge as in one: its part of the
 * subscriptions, the file of retained messages that all share, and the mail between them.
 *
 * @module
 */
import type { OwnLimits } from "../actors/rates/account_limits.ts";
import { logger } from "../gateways/log/log.ts";
import type { KeptSettings } from "../gateways/mqtt/kept/kept_options.ts";
import { KeptReview, type KeptReviewOptions } from "../gateways/mqtt/kept/kept_review.ts";
import { parsePeerMail, type PeerMail } from "../gateways/mqtt/pubsub/peer_mail.ts";
import { PubSub } from "../gateways/mqtt/pubsub/pubsub.ts";
import { PubSubActor, type PubSubMail, pubsubName } from "../gateways/mqtt/pubsub/pubsub_actor.ts";
import { PubSubStats } from "../gateways/mqtt/pubsub/pubsub_stats.ts";
import type { RetainedSource } from "../gateways/mqtt/pubsub/retained_feed.ts";
import { Retained } from "../gateways/mqtt/pubsub/retained.ts";
import type { ActorRef } from "../runtime/actor.ts";
import { systemClock } from "../runtime/clock.ts";
import type { Link } from "../runtime/remote_link.ts";
import type { PublishedNames } from "../runtime/remote_names.ts";
import type { ActorSystem } from "../runtime/system.ts";
import { dataPaths } from "./data_directory.ts";
import type { Config } from "../config.ts";
import { servesHttp } from "../config/serves_http.ts";
import type { AccountsChanged } from "./worker_accounts.ts";

const log = logger("pubsub");
const clock = systemClock;

/** How long a shard may wait for another that writes kept sessions. */
const busyMs = 1_000;
/** On a link with more than this under way, readings go first. */
const underwayBytesMax = 1024 * 1024;
/** Accounts of which the log has said that they are over their quota. */
const toldMax = 1_000;
/** Batches that other shards may send before this one looks: their links bound the bytes. */
const mailMax = 1 << 16;

export interface MessagesOptions {
  readonly config: Config;
  /** This one, as the others know it. */
  readonly shard: number;
  /** All of them, the HTTP edge too. */
  readonly shards: number;
  /** It has no predecessor in this process. */
  readonly first: boolean;
  /** What messages may take here. */
  readonly messageBytes: number;
  readonly system: ActorSystem;
  readonly names: PublishedNames;
  /** What accounts have of their own. */
  readonly accountLimits: Pick<OwnLimits, "of">;
  /** What accounts may do now; absent where kept sessions are not looked after. */
  readonly standings?: KeptReviewOptions["ask"];
}

/** See the module. */
export class ShardMessages {
  readonly pubsub: PubSub;
  readonly #shard: number;
  readonly #retained: Retained;
  readonly #actor: ActorRef<PubSubMail>;
  readonly #review: KeptReview | undefined;

  constructor(options: MessagesOptions) {
    const { config, shard, shards, messageBytes, system, names, standings } = options;
    const quotas = config.limits.subscribers;
    this.#shard = shard;
    const stats = new PubSubStats();
    this.#retained = openRetained(options, stats);
    const pubsub = this.pubsub = new PubSub({
      shard,
      shards,
      clock,
      queue: {
        countMax: quotas.queueMessagesMax,
        bytesMax: Math.min(quotas.queueBytesMax, messageBytes / 2),
        sharedBytesMax: messageBytes / 2,
      },
      peerBytesMax: messageBytes / 4 / Math.max(1, shards - 1),
      marksBytesMax: messageBytes / 8,
      sessionSubscriptionsMax: quotas.subscriptionsPerSessionMax,
      subscriptionsMax: Math.ceil(quotas.subscriptionsMax / shards),
      filterLevelsMax: quotas.filterLevelsMax,
      inFlightMax: quotas.inFlightMax,
      retained: this.#retained,
      stats,
      kept: keptSettings(options),
    });
    this.#review = standings && new KeptReview({ messages: pubsub, clock, ask: standings });
    const refs = new Map<number, ActorRef<PeerMail>>();
    this.#actor = system.spawn<PubSubMail>({
      id: pubsubName,
      mailbox: { countMax: mailMax },
      start: () => new PubSubActor(pubsub, refs),
    });
    names.publish(pubsubName, this.#actor, parsePeerMail);
  }

  /** Another shard is there, for the first time or anew. */
  linked(shard: number, link: Link): void {
    const mail: PubSubMail = {
      kind: "linked",
      shard,
      ref: link.ref(pubsubName),
      hasRoom: () => link.underway.bytes < underwayBytesMax,
    };
    if (this.#actor.tell(mail) !== "accepted") log.error("a shard found no room here", { shard });
  }

  /** Kept sessions follow. */
  accountsChanged({ names, all }: AccountsChanged): void {
    this.#review?.changed(names, all);
  }

  /** What is retained, of all shards. */
  get retained(): RetainedSource {
    return this.#retained;
  }

  counters(): Record<string, number> {
    return this.pubsub.stats.counters();
  }

  gauges(): Record<string, number> {
    const gauges = this.pubsub.stats.gauges();
    // Every shard sees the same file: the first one tells.
    if (this.#shard > 0) return gauges;
    const { count, bytes } = this.#retained.total;
    const { kept } = this.pubsub;
    const waiting = kept?.total;
    return {
      ...gauges,
      sluice_retained_messages: count,
      sluice_retained_bytes: bytes,
      sluice_sessions_kept: kept?.count ?? 0,
      sluice_sessions_disconnected: kept?.disconnected ?? 0,
      sluice_sessions_queued_messages: waiting?.count ?? 0,
      sluice_sessions_queued_bytes: waiting?.bytes ?? 0,
    };
  }

  /** The sessions have ended. */
  close(): void {
    this.#review?.close();
    this.pubsub.close();
    this.#retained.close();
  }
}

/** Retained messages that are not kept are counted, and told once for each account. */
function openRetained(
  { config, accountLimits }: Pick<MessagesOptions, "config" | "accountLimits">,
  stats: PubSubStats,
): Retained {
  const quotas = config.limits.subscribers;
  const told = new Set<string>();
  return new Retained({
    file: dataPaths(config.dataDir).retained,
    countMax: quotas.retainedMax,
    bytesMax: quotas.retainedBytesMax,
    ownedMax: (account) =>
      accountLimits.of(account).retainedMax ?? config.limits.accounts.retainedMax ?? Infinity,
    now: () => clock.now(),
    refused: (count) => {
      stats.retainedRefused += count;
      log.warn("there are as many retained messages as may be; new ones are not kept", { count });
    },
    overQuota: (account) => {
      stats.retainedOverQuota++;
      if (told.has(account)) return;
      if (told.size >= toldMax) told.clear();
      told.add(account);
      const what = "an account has as many retained messages as it may; new ones are not kept";
      log.warn(what, { account });
    },
    failed: (cause, count) => {
      stats.retainedFailed += count;
      log.error("the file of retained messages failed", { cause, count });
    },
  });
}

function keptSettings(
  { config, shards, first }: Pick<MessagesOptions, "config" | "shards" | "first">,
): KeptSettings {
  const file = dataPaths(config.dataDir).sessions;
  const { countMax, queueMessagesMax, queueBytesMax, bytesMax } = config.mqtt.sessions;
  return {
    file,
    busyMs,
    shards: shards - (servesHttp(config) ? 1 : 0),
    first,
    countMax,
    queueMessagesMax,
    queueBytesMax,
    bytesMax,
    failed: (cause) => {
      const what = "cannot use the file of kept sessions; what is published for them is not " +
        "acknowledged until it can be written";
      log.error(what, { file, cause });
    },
  };
}
