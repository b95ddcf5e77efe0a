/**
 * The topics whose readings an edge refused last, for whoever wonders where they are: by topic and
 * reason, how many there were and when the last one came. Bounded; the one that was quiet for the
 * longest time goes first, and is counted.
 *
 * @module
 */

/** A topic that was refused. */
export interface RefusedTopic {
  /** Its beginning and `…`, when it is long. */
  readonly topic: string;
  /** A stable word, as of the metric: `no_route`, `not_authorized`, … */
  readonly reason: string;
  readonly count: number;
  /** Wall time, ms since the epoch. */
  readonly lastMs: number;
}

/** The latest first. */
export interface RefusedTopicList {
  readonly items: readonly RefusedTopic[];
  /** How often one had to go for another. */
  readonly forgotten: number;
}

/** Of a shard, and of the list of all shards. */
export const refusedTopicsMax = 100;
/** Of a longer topic this much is kept; those that begin alike are one. */
const topicBytesMax = 256;

const utf8 = new TextDecoder();

/** See the module. */
export class RefusedTopics {
  /** By topic and reason, the one that was quiet for the longest time first. */
  readonly #topics = new Map<string, { -readonly [K in keyof RefusedTopic]: RefusedTopic[K] }>();
  #forgotten = 0;

  /**
   * The topic is `bytes[start..end)`. True when it is the first time, and there was room for it: so
   * often at most as there is room.
   */
  note(bytes: Uint8Array, start: number, end: number, reason: string, nowMs: number): boolean {
    const long = end - start > topicBytesMax;
    const text = utf8.decode(bytes.subarray(start, long ? start + topicBytesMax : end));
    const topic = long ? `${text.replace(/\ufffd+$/, "")}…` : text;
    const key = keyOf(topic, reason);
    const known = this.#topics.get(key);
    if (known !== undefined) this.#topics.delete(key);
    else if (this.#topics.size >= refusedTopicsMax) {
      const [oldest] = this.#topics.keys();
      if (oldest !== undefined) this.#topics.delete(oldest);
      this.#forgotten++;
    }
    const noted = known ?? { topic, reason, count: 0, lastMs: nowMs };
    noted.count++;
    noted.lastMs = nowMs;
    this.#topics.set(key, noted);
    return known === undefined && this.#forgotten === 0;
  }

  list(): RefusedTopicList {
    return { items: [...this.#topics.values()].reverse(), forgotten: this.#forgotten };
  }
}

/**
 * The lists of several as one.
 *
 * @example
 * ```ts
 * import { mergeRefusedTopics } from "./refused_topics.ts";
 * import assert from "node:assert/strict";
 *
 * const refused = (count: number, lastMs: number) => ({
 *   items: [{ topic: "a", reason: "no_route", count, lastMs }],
 *   forgotten: 1,
 * });
 * assert.deepEqual(mergeRefusedTopics([refused(1, 5), refused(2, 3)]), {
 *   items: [{ topic: "a", reason: "no_route", count: 3, lastMs: 5 }],
 *   forgotten: 2,
 * });
 * ```
 */
export function mergeRefusedTopics(lists: readonly RefusedTopicList[]): RefusedTopicList {
  const merged = new Map<string, RefusedTopic>();
  let forgotten = 0;
  for (const list of lists) {
    forgotten += list.forgotten;
    for (const one of list.items) {
      const key = keyOf(one.topic, one.reason);
      const { count = 0, lastMs = 0 } = merged.get(key) ?? {};
      merged.set(key, {
        ...one,
        count: count + one.count,
        lastMs: Math.max(lastMs, one.lastMs),
      });
    }
  }
  const items = [...merged.values()].sort((a, b) => b.lastMs - a.lastMs);
  const shown = items.slice(0, refusedTopicsMax);
  return { items: shown, forgotten: forgotten + items.length - shown.length };
}

/** Reasons are words without a space. */
const keyOf = (topic: string, reason: string): string => `${reason} ${topic}`;
