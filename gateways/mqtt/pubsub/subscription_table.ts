/**
 * Who listens to what, here and in the other shards: one tree of filters for both, so that a
 * message is matched once.
 *
 * @module
 */
import type { Qos } from "../codec/publish.ts";
import type { KeptSession } from "../kept/kept_session.ts";
import { filterName, parseFilter } from "./filter.ts";
import type { Delivery, Message } from "./message.ts";
import { ShareGroup } from "./share_group.ts";
import { SmallMap } from "./small_map.ts";
import { TopicTrie } from "./topic_trie.ts";

/** A session that subscribes. */
export interface Subscriber {
  /** The filters of its subscriptions, as it wrote them. */
  readonly names: Pick<Set<string>, "size" | "has" | "delete"> & Iterable<string> & {
    add(name: string): void;
  };
  /** Whether it keeps up just now. */
  readonly ready: boolean;
  deliver(message: Message, delivery: Delivery): void;
}

/** What a subscription was granted. */
export interface Grant {
  readonly qos: Qos;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  /** The subscription identifier, if it has one. */
  readonly ids: readonly number[];
}

const nowhere: readonly number[] = [];
/** Lists of one shard, as most entries have them. */
const alone: (readonly number[])[] = [];

/** All there is of one filter. Most have one subscriber, and 100,000 of them are to be small. */
export class FilterEntry {
  readonly filter: string;
  /** Subscriptions of this shard that are not shared. */
  local: SmallMap<Subscriber, Grant> | undefined;
  /** Other shards that have such subscriptions. */
  remote: readonly number[] = nowhere;
  /** Sessions that outlive their connections, of all shards. */
  kept: SmallMap<KeptSession, Grant> | undefined;
  groups: Map<string, ShareGroup> | undefined;

  constructor(filter: string) {
    this.filter = filter;
  }

  get empty(): boolean {
    return this.local === undefined && this.remote.length === 0 && this.kept === undefined &&
      this.groups === undefined;
  }
}

/** How many subscriptions of this shard a name has now: 1 at most unless it is shared. */
export type InterestChanged = (name: string, count: number) => void;

/** Topics whose entries are remembered. */
const cachedMax = 4_096;
/** A longer topic is not remembered. */
const cachedCharsMax = 256;

/** See the module. */
export class SubscriptionTable {
  readonly #trie = new TopicTrie<FilterEntry>();
  readonly #changed: InterestChanged;
  readonly #interest = new Map<string, number>();
  readonly #cache = new Map<string, readonly FilterEntry[]>();
  #count = 0;
  #keptCount = 0;

  /** Hears of names that gain or lose subscriptions here. */
  constructor(changed: InterestChanged) {
    this.#changed = changed;
  }

  /** Subscriptions of this shard. */
  get count(): number {
    return this.#count;
  }

  /** Subscriptions of kept sessions, of all shards. */
  get keptCount(): number {
    return this.#keptCount;
  }

  /** Nobody listens, here or elsewhere. */
  get empty(): boolean {
    return this.#trie.size === 0;
  }

  /** Adds a subscription, or gives it another grant. */
  add(name: string, subscriber: Subscriber, grant: Grant): void {
    const { filter, group } = parseFilter(name);
    const entry = this.#entry(filter);
    const isNew = !subscriber.names.has(name);
    if (isNew) {
      subscriber.names.add(name);
      this.#count++;
    }
    if (group === undefined) {
      const local = entry.local ??= new SmallMap();
      local.set(subscriber, grant);
      if (local.size === 1 && isNew) this.#announce(name, 1);
    } else {
      const members = this.#group(entry, group);
      members.join(subscriber, grant);
      if (isNew) this.#announce(name, members.localCount);
    }
  }

  /** False when there was no such subscription. */
  remove(name: string, subscriber: Subscriber): boolean {
    if (!subscriber.names.delete(name)) return false;
    this.#count--;
    const { filter, group } = parseFilter(name);
    const entry = this.#trie.get(filter);
    if (entry === undefined) return true;
    if (group === undefined) {
      entry.local?.delete(subscriber);
      if (entry.local?.size === 0) {
        entry.local = undefined;
        this.#announce(name, 0);
      }
    } else {
      const members = entry.groups?.get(group);
      members?.leave(subscriber);
      this.#announce(name, members?.localCount ?? 0);
    }
    this.#prune(entry, group);
    return true;
  }

  /** Adds a subscription of a kept session, or gives it another grant. */
  addKept(name: string, session: KeptSession, grant: Grant): void {
    const { filter, group } = parseFilter(name);
    const entry = this.#entry(filter);
    if (!session.grants.has(name)) this.#keptCount++;
    session.grants.set(name, grant);
    if (group !== undefined) this.#group(entry, group).joinKept(session, grant);
    else (entry.kept ??= new SmallMap()).set(session, grant);
  }

  removeKept(name: string, session: KeptSession): void {
    if (!session.grants.delete(name)) return;
    this.#keptCount--;
    const { filter, group } = parseFilter(name);
    const entry = this.#trie.get(filter);
    if (entry === undefined) return;
    if (group !== undefined) {
      entry.groups?.get(group)?.leaveKept(session);
    } else {
      entry.kept?.delete(session);
      if (entry.kept?.size === 0) entry.kept = undefined;
    }
    this.#prune(entry, group);
  }

  /** Another shard has this many subscriptions of that name now. */
  setRemote(shard: number, name: string, count: number): void {
    const { filter, group } = parseFilter(name);
    const entry = this.#entry(filter);
    if (group !== undefined) this.#group(entry, group).setRemote(shard, count);
    else entry.remote = withShard(entry.remote, shard, count > 0);
    this.#prune(entry, group);
  }

  /** All that is subscribed to here, as another shard is to know it. */
  get interest(): ReadonlyMap<string, number> {
    return this.#interest;
  }

  /** The group that a shared filter names. */
  group(name: string): ShareGroup | undefined {
    const { filter, group } = parseFilter(name);
    return group === undefined ? undefined : this.#trie.get(filter)?.groups?.get(group);
  }

  /** What there is for a topic. */
  match(topic: string): readonly FilterEntry[] {
    const known = this.#cache.get(topic);
    if (known !== undefined) return known;
    const found = this.#trie.match(topic);
    if (topic.length <= cachedCharsMax) {
      if (this.#cache.size >= cachedMax) this.#cache.clear();
      this.#cache.set(topic, found);
    }
    return found;
  }

  #announce(name: string, count: number): void {
    if (count === 0) this.#interest.delete(name);
    else this.#interest.set(name, count);
    this.#changed(name, count);
  }

  #entry(filter: string): FilterEntry {
    let entry = this.#trie.get(filter);
    if (entry === undefined) {
      this.#trie.set(filter, entry = new FilterEntry(filter));
      this.#cache.clear();
    }
    return entry;
  }

  #group(entry: FilterEntry, group: string): ShareGroup {
    entry.groups ??= new Map();
    let members = entry.groups.get(group);
    if (members === undefined) {
      entry.groups.set(group, members = new ShareGroup(filterName(entry.filter, group)));
    }
    return members;
  }

  #prune(entry: FilterEntry, group: string | undefined): void {
    if (group !== undefined && entry.groups?.get(group)?.empty) {
      entry.groups.delete(group);
      if (entry.groups.size === 0) entry.groups = undefined;
    }
    if (!entry.empty) return;
    this.#trie.delete(entry.filter);
    this.#cache.clear();
  }
}

function withShard(shards: readonly number[], shard: number, present: boolean): readonly number[] {
  if (shards.includes(shard) === present) return shards;
  if (present && shards.length === 0) return alone[shard] ??= [shard];
  return present ? [...shards, shard] : shards.filter((other) => other !== shard);
}
