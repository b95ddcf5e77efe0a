/**
 * All other shards, and what each of them has told of its subscriptions.
 *
 * @module
 */
import type { Clock, Timer } from "../../../runtime/clock.ts";
import type { Forwarded, PeerMail } from "./peer_mail.ts";
import { type PeerPort, PeerShard } from "./peer_shard.ts";
import type { PubSubStats } from "./pubsub_stats.ts";
import type { SubscriptionTable } from "./subscription_table.ts";

export interface PeerShardsOptions {
  /** This one. */
  readonly shard: number;
  readonly clock: Clock;
  /** Bytes that may wait for another shard. */
  readonly peerBytesMax: number;
  readonly table: SubscriptionTable;
  readonly stats: PubSubStats;
}

/** How long to wait before a shard that took nothing is tried again. */
const retryMs = 5;

/** See the module. */
export class PeerShards {
  readonly #options: PeerShardsOptions;
  readonly #peers = new Map<number, PeerShard>();
  /** Names that each of them has. */
  readonly #names = new Map<number, Set<string>>();
  #retryTimer: Timer | undefined;
  /** There may be something that was not sent. */
  #unsent = false;

  constructor(options: PeerShardsOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#peers.size;
  }

  has(shard: number): boolean {
    return this.#peers.has(shard);
  }

  /** Another shard is there, for the first time or anew. */
  linked(shard: number, port: PeerPort): void {
    this.lost(shard);
    const { shard: from, peerBytesMax: backlogBytesMax, table, stats } = this.#options;
    const { interest } = table;
    this.#peers.set(shard, new PeerShard({ from, port, interest, backlogBytesMax, stats }));
    this.#unsent = true;
    this.flush();
  }

  /** Another shard is gone, and with it all who listened there. */
  lost(shard: number): void {
    this.#peers.get(shard)?.close();
    this.#peers.delete(shard);
    this.#forget(shard);
  }

  /** Subscriptions of `name` in this shard have become this many. */
  changed(name: string, count: number): void {
    this.#unsent = true;
    for (const peer of this.#peers.values()) peer.changed(name, count);
  }

  /** Kept sessions have changed in the file. */
  sessionsChanged(ids: readonly number[]): void {
    this.#unsent = true;
    for (const peer of this.#peers.values()) for (const id of ids) peer.sessionChanged(id);
  }

  /** Something waits for a kept session that is connected to that shard. */
  queued(shard: number, id: number): void {
    this.#unsent = true;
    this.#peers.get(shard)?.queued(id);
  }

  /** Resolves when all of them know what has changed; `undefined`: they do. */
  known(): Promise<unknown> | undefined {
    const waits: Promise<void>[] = [];
    for (const peer of this.#peers.values()) {
      const known = peer.known();
      if (known !== undefined) waits.push(known);
    }
    if (waits.length === 0) return undefined;
    this.#retryLater();
    return Promise.all(waits);
  }

  applied(shard: number, sequence: number): void {
    this.#peers.get(shard)?.applied(sequence);
  }

  /** Takes what another shard tells of its subscriptions, and confirms it. */
  interest({ from, sequence, reset, changes }: PeerMail & { readonly kind: "interest" }): void {
    const peer = this.#peers.get(from);
    if (peer === undefined) return; // It is gone.
    if (reset) this.#forget(from);
    let names = this.#names.get(from);
    if (names === undefined) this.#names.set(from, names = new Set());
    for (const [name, count] of changes) {
      this.#options.table.setRemote(from, name, count);
      if (count > 0) names.add(name);
      else names.delete(name);
    }
    peer.acknowledge(sequence);
    this.#unsent = true;
    this.flush();
  }

  /** False when the shard is gone or takes no more. Goes out with the next flush. */
  send(shard: number, forwarded: Forwarded): boolean {
    this.#unsent = true;
    return this.#peers.get(shard)?.send(forwarded) ?? false;
  }

  /** Cheap when there is nothing to send. */
  flush(): void {
    if (!this.#unsent) return;
    this.#unsent = false;
    for (const peer of this.#peers.values()) if (!peer.flush()) this.#unsent = true;
    if (this.#unsent) this.#retryLater();
  }

  close(): void {
    this.#retryTimer?.clear();
    for (const peer of this.#peers.values()) peer.close();
    this.#peers.clear();
  }

  #forget(shard: number): void {
    const { table } = this.#options;
    for (const name of this.#names.get(shard) ?? []) table.setRemote(shard, name, 0);
    this.#names.delete(shard);
  }

  #retryLater(): void {
    this.#retryTimer ??= this.#options.clock.setTimer(retryMs, () => {
      this.#retryTimer = undefined;
      this.flush();
    });
  }
}
