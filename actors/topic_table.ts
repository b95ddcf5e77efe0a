/**
 * Finds what a topic means by the topic's bytes: no string is made for a topic that was seen
 * before. Bounded: entries live in a young and an old generation; when the young one is full, or
 * has been there for long enough, it becomes the old one, and what is not used again before the
 * next time is dropped.
 *
 * @module
 */
import { hashBytes } from "./fingerprint.ts";
import type { Rejection } from "./intake.ts";
import type { TopicEntry, TopicRefusal } from "./reading.ts";
import type { CompiledRoute } from "./route.ts";
import { type TopicMeaning, understandTopic } from "./topic_entry.ts";

/**
 * Longest topic that is taken. MQTT allows 65,535 bytes, but a topic is kept several times (the
 * device's id, tags, series) and stands in every line.
 */
export const topicBytesMax = 2_048;
/** Bytes of topics and what belongs to them, for each entry that may be remembered. */
const bytesPerEntry = 512;

const tooLong: TopicRefusal = {
  kind: "refused",
  rejection: {
    outcome: "refused",
    reason: "invalid_topic",
    detail: `the topic is longer than ${topicBytesMax} bytes`,
  },
};

/** Entries' bytes are kept many to a buffer: a buffer of its own would cost more than they do. */
const slabBytes = 64 * 1024;

/** What every reading asks for stands together: of 100,000 entries none is in the cache. */
class Entry implements TopicEntry {
  bytes: Uint8Array = new Uint8Array(0);
  topicStart = 0;
  headStart = 0;
  headEnd = 0;
  tailEnd = 0;
  readonly kind = "topic";
  readonly route: CompiledRoute;
  readonly deviceHash: number;
  handle: unknown = undefined;
  readonly topicHash: number;
  readonly unwritable: boolean;
  readonly identity: string | undefined;
  readonly scalar: string | undefined;
  rateKey = 0;
  readonly topic: string;
  readonly deviceId: string;

  /** The hashes are signed: V8 keeps a larger number in an object of its own, a cache miss away. */
  constructor(readonly hash: number, meaning: TopicMeaning, topicHash: number) {
    this.topic = meaning.topic;
    this.route = meaning.route;
    this.deviceId = meaning.deviceId;
    this.deviceHash = meaning.deviceHash | 0;
    this.topicHash = topicHash | 0;
    this.identity = meaning.identity;
    this.scalar = meaning.scalar;
    this.unwritable = meaning.unwritable;
  }

  move(bytes: Uint8Array, to: number): void {
    const by = to - this.topicStart;
    this.bytes = bytes;
    this.topicStart += by;
    this.headStart += by;
    this.headEnd += by;
    this.tailEnd += by;
  }
}

class Refusal implements TopicRefusal {
  readonly kind = "refused";
  bytes: Uint8Array = new Uint8Array(0);
  topicStart = 0;
  headStart = 0;
  tailEnd = 0;

  constructor(readonly hash: number, readonly rejection: Rejection) {}

  move(bytes: Uint8Array, to: number): void {
    const by = to - this.topicStart;
    this.bytes = bytes;
    this.topicStart += by;
    this.headStart += by;
    this.tailEnd += by;
  }
}

/** `bytes[topicStart..headStart)` is the topic. */
type Found = Entry | Refusal;

/**
 * A hash table with open addressing, and the bytes of its entries. The hashes have a table of their
 * own, so that an entry with another one is not fetched to be passed over.
 */
class Generation {
  #slots = new Array<Found | undefined>(64).fill(undefined);
  #hashes = new Int32Array(64);
  #slab = new Uint8Array(0);
  #used = 0;
  /** Entries; in an old generation without those that a young one has again. */
  count = 0;
  /** Bytes of its entries. */
  bytes = 0;

  find(hash: number, data: Uint8Array, start: number, end: number): Found | undefined {
    const slots = this.#slots;
    const hashes = this.#hashes;
    const mask = slots.length - 1;
    let at = hash & mask;
    for (let found = slots[at]; found !== undefined; found = slots[at]) {
      if (hashes[at] === hash && isTopic(found, data, start, end)) return found;
      at = (at + 1) & mask;
    }
    return undefined;
  }

  /** Room for the bytes of an entry: they go to `slab` from `at` on. */
  allot(count: number): { readonly slab: Uint8Array; readonly at: number } {
    if (this.#used + count > this.#slab.length) {
      this.#slab = new Uint8Array(Math.max(count, slabBytes));
      this.#used = 0;
    }
    const at = this.#used;
    this.#used += count;
    this.bytes += count;
    return { slab: this.#slab, at };
  }

  insert(found: Found): void {
    this.count++;
    if (this.count * 2 > this.#slots.length) this.#grow();
    this.#place(found);
  }

  #place(found: Found): void {
    const mask = this.#slots.length - 1;
    let at = found.hash & mask;
    while (this.#slots[at] !== undefined) at = (at + 1) & mask;
    this.#slots[at] = found;
    this.#hashes[at] = found.hash;
  }

  #grow(): void {
    const all = this.#slots;
    this.#slots = new Array<Found | undefined>(all.length * 2).fill(undefined);
    this.#hashes = new Int32Array(all.length * 2);
    for (const found of all) if (found !== undefined) this.#place(found);
  }
}

function isTopic(found: Found, data: Uint8Array, start: number, end: number): boolean {
  const { bytes, topicStart } = found;
  const length = end - start;
  if (found.headStart - topicStart !== length) return false;
  for (let i = 0; i < length; i++) if (bytes[topicStart + i] !== data[start + i]) return false;
  return true;
}

export interface TopicTableOptions {
  readonly gatewayId: string;
  /** Topics remembered at most. Default 200,000. */
  readonly entriesMax?: number;
  /** Random: so that nobody can choose topics that collide. Never shared between processes. */
  readonly hashSeed: number;
}

/** See the module. */
export class TopicTable {
  readonly #routes: readonly CompiledRoute[];
  readonly #gatewayId: string;
  readonly #youngMax: number;
  readonly #youngBytesMax: number;
  readonly #seed: number;
  #young = new Generation();
  #old = new Generation();
  /** The young generation was full since `forgetIdle` was called last. */
  #wasFull = false;

  constructor(routes: readonly CompiledRoute[], options: TopicTableOptions) {
    this.#routes = routes;
    this.#gatewayId = options.gatewayId;
    this.#youngMax = Math.max(1, (options.entriesMax ?? 200_000) >> 1);
    // The text of a topic and of its device's id are as long once more.
    this.#youngBytesMax = this.#youngMax * bytesPerEntry / 2;
    this.#seed = options.hashSeed;
  }

  /** Topics remembered. */
  get size(): number {
    return this.#young.count + this.#old.count;
  }

  /**
   * To be called at intervals: what was not asked for since the call before this one is forgotten.
   * While topics come so fast that the limit makes them forgotten, they are not forgotten sooner.
   */
  forgetIdle(): void {
    if (!this.#wasFull) this.#turn();
    this.#wasFull = false;
  }

  /** What the topic `data[start..end)` means. The answer stays valid after it was forgotten here. */
  lookup(data: Uint8Array, start: number, end: number): TopicEntry | TopicRefusal {
    if (end - start > topicBytesMax) return tooLong;
    const hash = hashBytes(data, start, end, this.#seed) | 0;
    return this.#young.find(hash, data, start, end) ?? this.#findElsewhere(hash, data, start, end);
  }

  #findElsewhere(hash: number, data: Uint8Array, start: number, end: number): Found {
    if (this.#young.count >= this.#youngMax || this.#young.bytes >= this.#youngBytesMax) {
      this.#turn();
      this.#wasFull = true;
    }
    const old = this.#old;
    const known = old.find(hash, data, start, end);
    if (known === undefined) return this.#learn(hash, data, start, end);
    const { slab, at } = this.#young.allot(known.tailEnd - known.topicStart);
    slab.set(known.bytes.subarray(known.topicStart, known.tailEnd), at);
    known.move(slab, at);
    this.#young.insert(known);
    // Its bytes and slots serve nobody any more once all of it is in use again.
    if (--old.count === 0) this.#old = new Generation();
    return known;
  }

  #turn(): void {
    this.#old = this.#young;
    this.#young = new Generation();
  }

  #learn(hash: number, data: Uint8Array, start: number, end: number): Found {
    const topic = data.subarray(start, end);
    const meaning = understandTopic(this.#routes, this.#gatewayId, topic);
    const young = this.#young;
    let found: Found;
    if ("outcome" in meaning) {
      const { slab, at } = young.allot(topic.length);
      slab.set(topic, at);
      found = new Refusal(hash, meaning);
      found.headStart = found.tailEnd = topic.length;
      found.move(slab, at);
    } else {
      const { head, tail } = meaning;
      const { slab, at } = young.allot(topic.length + head.length + tail.length);
      slab.set(topic, at);
      slab.set(head, at + topic.length);
      slab.set(tail, at + topic.length + head.length);
      found = new Entry(hash, meaning, hashBytes(data, start, end));
      found.headStart = topic.length;
      found.headEnd = found.headStart + head.length;
      found.tailEnd = found.headEnd + tail.length;
      found.move(slab, at);
    }
    young.insert(found);
    return found;
  }
}
