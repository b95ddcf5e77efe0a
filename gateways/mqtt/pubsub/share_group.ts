/**
 * The members of one shared subscription, in this shard and in others (MQTT 5 §4.8.2): each message
 * goes to one of them, in turn.
 *
 * @module
 */
import type { KeptSession } from "../kept/kept_session.ts";
import type { Grant, Subscriber } from "./subscription_table.ts";

/** A member that outlives its connection: every shard knows it. */
export type KeptMember = readonly [session: KeptSession, grant: Grant];

/** Here, or the shard that is to choose among its own members, or a member wherever it is. */
export type Chosen = "here" | number | KeptMember;

/** See the module. */
export class ShareGroup {
  /** `$share/group/filter`. */
  readonly name: string;
  readonly #members: [Subscriber, Grant][] = [];
  readonly #remote = new Map<number, number>();
  readonly #kept: KeptMember[] = [];
  /** Turns taken: among all members, and among those here. */
  #turn = 0;
  #localTurn = 0;

  constructor(name: string) {
    this.name = name;
  }

  get localCount(): number {
    return this.#members.length;
  }

  get empty(): boolean {
    return this.#members.length === 0 && this.#remote.size === 0 && this.#kept.length === 0;
  }

  join(subscriber: Subscriber, grant: Grant): void {
    const at = this.#members.findIndex(([member]) => member === subscriber);
    if (at >= 0) this.#members[at] = [subscriber, grant];
    else this.#members.push([subscriber, grant]);
  }

  leave(subscriber: Subscriber): void {
    const at = this.#members.findIndex(([member]) => member === subscriber);
    if (at >= 0) this.#members.splice(at, 1);
  }

  joinKept(session: KeptSession, grant: Grant): void {
    const at = this.#kept.findIndex(([member]) => member === session);
    if (at >= 0) this.#kept[at] = [session, grant];
    else this.#kept.push([session, grant]);
  }

  leaveKept(session: KeptSession): void {
    const at = this.#kept.findIndex(([member]) => member === session);
    if (at >= 0) this.#kept.splice(at, 1);
  }

  setRemote(shard: number, count: number): void {
    if (count > 0) this.#remote.set(shard, count);
    else this.#remote.delete(shard);
  }

  /**
   * Whose turn it is: every member, wherever it is, has the same share. Members that are offline
   * have one only when all are.
   */
  choose(): Chosen {
    if (this.#remote.size === 0 && this.#kept.length === 0) return "here";
    const online = this.#kept.filter(([{ holder }]) => holder !== undefined);
    let total = this.#members.length + online.length;
    for (const count of this.#remote.values()) total += count;
    if (total === 0) return this.#kept[this.#turn++ % this.#kept.length] ?? "here";
    let turn = this.#turn++ % total;
    for (const [shard, count] of this.#remote) {
      if (turn < count) return shard;
      turn -= count;
    }
    return online[turn] ?? "here";
  }

  /** A kept session that is connected here, for what waits for nobody. */
  keptHere(): KeptMember | undefined {
    return this.#kept.find(([{ attachment }]) => attachment !== undefined);
  }

  /** A member, wherever it is, for which QoS 1 and 2 wait in the file; for what finds nobody else. */
  keptAnywhere(): KeptMember | undefined {
    const able = this.#kept.filter(([, { qos }]) => qos > 0);
    return able[this.#turn++ % able.length];
  }

  /** The member here whose turn it is: the next that keeps up, else the next. */
  next(): readonly [Subscriber, Grant] | undefined {
    const members = this.#members;
    for (let i = 0; i < members.length; i++) {
      const member = members[(this.#localTurn + i) % members.length]!;
      if (!member[0].ready) continue;
      this.#localTurn = (this.#localTurn + i + 1) % members.length;
      return member;
    }
    return members[this.#localTurn++ % members.length];
  }
}
