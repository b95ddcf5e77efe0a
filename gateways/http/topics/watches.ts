/**
 * All topics and filters that somebody looks at over HTTP, as one subscriber of the shards. A watch
 * begins when it is first asked for and goes on for a while after, so that who comes back finds what
 * it missed; nothing is kept, and nothing crosses from the shards, of what nobody asked for.
 *
 * @module
 */
import type { Clock, Timer } from "../../../runtime/clock.ts";
import type { Message } from "../../mqtt/pubsub/message.ts";
import type { PubSub } from "../../mqtt/pubsub/pubsub.ts";
import type { Subscriber } from "../../mqtt/pubsub/subscription_table.ts";
import { TopicTrie } from "../../mqtt/pubsub/topic_trie.ts";
import { SharedChunks } from "./shared_chunks.ts";
import { Watch } from "./watch.ts";

export interface WatchesOptions {
  readonly pubsub: Pick<PubSub, "listen" | "unlisten">;
  readonly clock: Clock;
  /** Bytes of all messages that are kept. */
  readonly bytesMax: number;
  /** Bytes of what viewers are sent, in all; see {@linkcode chunkShare}. */
  readonly sentBytesMax: number;
}

/** Topics and filters at once. */
export const watchesMax = 1_000;
/** Messages of one of them, and their share of all bytes. */
export const watchCountMax = 1_000;
const watchShare = 1 / 4;
/** Viewers that follow them. */
export const followersMax = 256;
/** Of what viewers are sent, the part that waits for one to be taken; the rest is shared. */
const chunkShare = 3 / 4 / followersMax;
/** A watch that nobody wanted for so long ends. */
const idleMs = 600_000;
const sweepMs = 60_000;

/** See the module. */
export class Watches implements Subscriber {
  readonly names = new Set<string>();
  readonly ready = true;
  /** Begins the ids of messages: those of another process are told apart by it. */
  readonly epoch: string;
  /** What is written for those who follow. */
  readonly chunks: SharedChunks;
  readonly #options: WatchesOptions;
  readonly #watches = new Map<string, Watch>();
  readonly #trie = new TopicTrie<Watch>();
  #sequence = 0;
  #bytes = 0;
  #timer: Timer | undefined;

  constructor(options: WatchesOptions) {
    this.#options = options;
    this.epoch = Math.floor(options.clock.now()).toString(36);
    const { epoch } = this;
    const { sentBytesMax } = options;
    const chunkChars = sentBytesMax * chunkShare;
    this.chunks = new SharedChunks({ bytesMax: sentBytesMax / 4, chunkChars, epoch });
  }

  get count(): number {
    return this.#watches.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The number of the message that was seen last. */
  get sequence(): number {
    return this.#sequence;
  }

  /** The watch of a topic or a filter, which may just begin. `undefined`: there are too many. */
  of(filter: string): Watch | undefined {
    const watch = this.#watches.get(filter) ?? this.#begin(filter);
    if (watch !== undefined) watch.usedMs = this.#options.clock.monotonic();
    return watch;
  }

  deliver(message: Message): void {
    const watches = this.#trie.match(message.topic);
    if (watches.length === 0) return;
    const seen = { sequence: ++this.#sequence, atMs: this.#options.clock.now(), message };
    const { bytesMax } = this.#options;
    for (const watch of watches) {
      watch.push(seen);
      this.#bytes += message.bytes;
      while (watch.count > watchCountMax || watch.bytes > bytesMax * watchShare) this.#drop(watch);
    }
    while (this.#bytes > bytesMax) this.#drop(this.#oldest());
  }

  /** A shard was away: what was published there meanwhile may not be here. */
  interrupted(): void {
    this.#sequence++;
    for (const watch of this.#watches.values()) {
      watch.floor = Math.max(watch.floor, this.#sequence);
    }
  }

  close(): void {
    this.#timer?.clear();
    for (const watch of [...this.#watches.values()]) this.#end(watch);
  }

  #begin(filter: string): Watch | undefined {
    if (this.#watches.size >= watchesMax && !this.#makeRoom()) return undefined;
    const watch = new Watch(filter);
    this.#watches.set(filter, watch);
    this.#trie.set(filter, watch);
    // A number of its own: what was missed before now is not taken for seen.
    const begun = () => {
      watch.floor = ++this.#sequence;
    };
    const known = this.#options.pubsub.listen(this, filter);
    if (known === undefined) begun();
    else watch.known = known.then(begun);
    this.#sweepLater();
    return watch;
  }

  #end(watch: Watch): void {
    while (watch.count > 0) this.#drop(watch);
    this.chunks.forget(watch);
    this.#watches.delete(watch.filter);
    this.#trie.delete(watch.filter);
    this.#options.pubsub.unlisten(this, watch.filter);
  }

  #drop(watch: Watch): void {
    const before = watch.bytes;
    watch.drop();
    this.#bytes -= before - watch.bytes;
  }

  /** The watch that has the oldest message. */
  #oldest(): Watch {
    let oldest: Watch | undefined;
    for (const watch of this.#watches.values()) {
      const sequence = watch.first?.sequence ?? Infinity;
      if (sequence < (oldest?.first?.sequence ?? Infinity)) oldest = watch;
    }
    if (oldest === undefined) throw new Error("there are bytes, and no message has them");
    return oldest;
  }

  /** Ends the watch that nobody follows and that was wanted least lately. */
  #makeRoom(): boolean {
    let least: Watch | undefined;
    for (const watch of this.#watches.values()) {
      if (watch.followers === 0 && watch.usedMs < (least?.usedMs ?? Infinity)) least = watch;
    }
    if (least !== undefined) this.#end(least);
    return least !== undefined;
  }

  #sweepLater(): void {
    this.#timer ??= this.#options.clock.setTimer(sweepMs, () => {
      this.#timer = undefined;
      const before = this.#options.clock.monotonic() - idleMs;
      for (const watch of [...this.#watches.values()]) {
        if (watch.followers === 0 && watch.usedMs <= before) this.#end(watch);
      }
      if (this.#watches.size > 0) this.#sweepLater();
    });
  }
}
