/**
 * A {@linkcode PubSub} without a disk, for tests.
 *
 * @module
 */
import type { Clock } from "../../../../runtime/clock.ts";
import { filterMatches } from "../../topic_filter.ts";
import type { Message } from "../message.ts";
import { PubSub } from "../pubsub.ts";
import type { PubSubOptions } from "../pubsub_options.ts";
import type { RetainedPage } from "../retained_feed.ts";

/** Retained messages in a map. */
export class MemoryRetained {
  readonly messages = new Map<string, Message>();
  flushes = 0;
  /** Messages of one page. */
  pageMax = Infinity;

  /** Who is over its quota. */
  readonly full = new Set<string>();

  mayKeep(_topic: string, owner: string): boolean {
    return !this.full.has(owner);
  }

  keep(message: Message): void {
    if (message.payload.length === 0) this.messages.delete(message.topic);
    else this.messages.set(message.topic, message);
  }

  flush(): void {
    this.flushes++;
  }

  page(filter: string, after: string | undefined, nowMs: number): RetainedPage {
    const found = [...this.messages.values()]
      .filter((message) => filterMatches(filter, message.topic) && !message.expired(nowMs))
      .filter(({ topic }) => after === undefined || topic > after)
      .toSorted((a, b) => a.topic < b.topic ? -1 : 1);
    const messages = found.slice(0, this.pageMax);
    return { messages, after: messages.length < found.length ? messages.at(-1)?.topic : undefined };
  }
}

export const testQueue = { countMax: 10, bytesMax: 100_000, sharedBytesMax: 1_000_000 };

export function memoryPubSub(
  clock: Clock,
  overrides: Partial<PubSubOptions> = {},
): { readonly pubsub: PubSub; readonly retained: MemoryRetained } {
  const retained = new MemoryRetained();
  const pubsub = new PubSub({
    shard: 0,
    shards: 1,
    clock,
    queue: testQueue,
    peerBytesMax: 1_000_000,
    marksBytesMax: 100_000,
    sessionSubscriptionsMax: 5,
    subscriptionsMax: 20,
    filterLevelsMax: 64,
    inFlightMax: 1_024,
    retained,
    ...overrides,
  });
  return { pubsub, retained };
}
