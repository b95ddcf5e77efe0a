/**
 * The sessions that outlive their connections, in one shard and for all of them.
 *
 * Everything that must outlive a connection is in one file that the shards share. Each shard knows
 * every kept session's subscriptions, so the shard in which a message is published puts it into
 * the queues of the sessions it is for, and commits that before the publisher is acknowledged. The
 * shard a client is connected to reads its queue from there. A client that comes back elsewhere
 * therefore needs nothing handed over: its new shard claims the session in the file, and goes on
 * once every other shard has confirmed that no connection of it is left there.
 *
 * @module
 */
import type { PlacesElsewhere } from "../../../actors/rates/account_quotas.ts";
import type { Will } from "../codec/connect.ts";
import { ProtocolError } from "../codec/protocol_error.ts";
import type { Message } from "../pubsub/message.ts";
import type { SharedOut, ShareTurn } from "../pubsub/shared_out.ts";
import { KeptAccounts } from "./kept_accounts.ts";
import type { KeptAttachment, KeptHost } from "./kept_attachment.ts";
import { KeptClock } from "./kept_clock.ts";
import type { CommitResult } from "./kept_commit.ts";
import { type ClaimResult, KeptConnections, type Leaving } from "./kept_connections.ts";
import { type Evict, KeptDirectory } from "./kept_directory.ts";
import type { ClaimRequest } from "./kept_lives.ts";
import { KeptLog } from "./kept_log.ts";
import type { QueueTarget } from "./kept_op.ts";
import type { KeptPermit, KeptSessionsOptions } from "./kept_options.ts";
import { KeptReader } from "./kept_reader.ts";
import type { KeptSubscription } from "./kept_records.ts";
import type { KeptSession } from "./kept_session.ts";
import { originOf } from "./kept_shares.ts";
import { KeptStore } from "./kept_store.ts";
import { decodeWill } from "./will_record.ts";

/** Sessions that end in one transaction. */
const endsMax = 10;
/** A session that lasts longer than this is still there when it is claimed. */
const placeMs = 5_000;

/** See the module. */
export class KeptSessions {
  /** Theirs. */
  readonly accounts: KeptAccounts;
  readonly #options: KeptSessionsOptions;
  readonly #directory: KeptDirectory;
  readonly #log: KeptLog;
  readonly #store: KeptStore;
  readonly #connections: KeptConnections;
  readonly #reader: KeptReader;
  #adopted = false;
  readonly #time: KeptClock;

  /** Opens or makes the file; when that fails it is tried again with every use. */
  constructor(options: KeptSessionsOptions) {
    this.#options = options;
    const { shard, shards, clock, table } = options;
    const store = this.#store = new KeptStore(options);
    this.#time = new KeptClock(clock, (byMs, beforeMs) => {
      const done = store.use(({ lives }) => lives.shift(byMs, beforeMs, shards, shard));
      return done !== undefined;
    });
    const directory = this.#directory = new KeptDirectory(table);
    this.#reader = new KeptReader(
      store,
      directory,
      this.#evicted,
      // What was put into its queue meanwhile it was not told of.
      ({ id, holder = shard }) => {
        if (holder !== shard) options.queued(holder, id);
      },
    );
    const log = this.#log = new KeptLog(clock, () => this.flush(true));
    const home = {
      flush: () => this.flush(true),
      ready: () => this.#adoptLate() && this.#reader.know(),
      knows: () => !this.#reader.unknown,
      reread: (id: number) => this.#reread(id),
      end: (ids: readonly number[]) => this.#end(ids),
      unsubscribe: (session: KeptSession, names: readonly string[]) =>
        this.unsubscribe(session, names),
    };
    const accounts = this.accounts = new KeptAccounts({ ...options, store, directory, home });
    this.#connections = new KeptConnections({
      ...options,
      now: () => this.#time.now(),
      store,
      directory,
      log,
      home,
      accounts,
    });
    this.#adopt(options.first);
    this.reload("all");
  }

  /** Whether there is a session of that key. */
  has(key: string): boolean {
    return this.#directory.byKey(key) !== undefined;
  }

  get count(): number {
    return this.#directory.count;
  }

  /** Those whose client is away. */
  get disconnected(): number {
    return this.#directory.disconnected;
  }

  /** What an account has of them; nothing while the file fails, for then nobody gets one. */
  places(account: string, key: string): PlacesElsewhere {
    const nowMs = this.#time.now();
    const lastsMs = account === ""
      ? 0
      : this.#store.use(({ lives }) => lives.lastsMs(account, key, nowMs)) ?? 0;
    const own = lastsMs > placeMs;
    return {
      own,
      count: (max) => {
        const count = this.#store.use(({ lives }) => lives.countOf(account, max, nowMs)) ?? 0;
        // The one that is about to be over, and is counted where its client is.
        return lastsMs > 0 && !own ? Math.max(0, count - 1) : count;
      },
    };
  }

  /** Messages in the queues, and what they count for. */
  get total(): { readonly count: number; readonly bytes: number } {
    return this.#store.use(({ queues }) => queues.total) ?? { count: 0, bytes: 0 };
  }

  // --- For connections.

  /** A client has connected. Until the promise resolves, nothing of the session may be used. */
  claim(
    request: ClaimRequest,
    host: KeptHost,
    permit: KeptPermit | undefined,
  ): Promise<ClaimResult> {
    return this.#connections.claim(request, host, permit);
  }

  /** Ends the session of a key, for a client that wants none. */
  discard(key: string): Promise<ClaimResult> {
    return this.#connections.discard(key);
  }

  /** A connection has ended. */
  detach(attachment: KeptAttachment, leaving: Leaving): void {
    this.#connections.detach(attachment, leaving);
  }

  /** False when it could not be written, or the shard does not know it. */
  subscribe(session: KeptSession, subscriptions: readonly KeptSubscription[]): boolean {
    const done = this.#store.use(({ records }) => {
      records.subscribe(session.id, subscriptions);
      return true;
    });
    return this.#reread(session.id) && done === true;
  }

  unsubscribe(session: KeptSession, names: readonly string[]): boolean {
    const done = this.#store.use(({ records }) => {
      records.unsubscribe(session.id, names);
      return true;
    });
    return this.#reread(session.id) && done === true;
  }

  /** The will of a session that was left is out. */
  willSent(id: number): void {
    this.#connections.willSent(id);
  }

  // --- For messages.

  /** It is not known which sessions all messages are for. */
  get blind(): boolean {
    return this.#reader.unknown || this.#reader.behind;
  }

  /**
   * A message with QoS 1 or 2 is on its way. False: nobody knows which sessions it is for, so it must
   * not be acknowledged. When that is so of one or the other session alone, it is counted.
   */
  passes(): boolean {
    if (this.#reader.unknown) return false;
    if (this.#reader.behind) this.#options.stats.missed++;
    return true;
  }

  /** Puts a message into queues, with the next flush. */
  queue(message: Message, targets: readonly QueueTarget[]): void {
    this.#log.note({ kind: "queue", message, targets }, false);
  }

  /**
   * Of a message that may be sent on again: it is for a member of this shared subscription in that
   * shard now, in this turn of it; `undefined`: somebody has it for good. With the next flush.
   */
  moved(mark: string, { name, turn }: ShareTurn, to: number | undefined): void {
    this.#log.note({ kind: "moved", ...originOf(mark), name, turn, to }, false);
  }

  /** Where a message that may be sent on again is now; `undefined`: that cannot be read. */
  sharesOf(mark: string): readonly SharedOut[] | undefined {
    return this.#store.use(({ queues }) => queues.shares(originOf(mark)));
  }

  /**
   * Commits what gathered, and sends on what is for connections here. False when it could not be
   * written: then what was done since the last flush must not be acknowledged.
   */
  flush(all = false): boolean {
    const ops = this.#log.take(all);
    if (ops === undefined) return true;
    const result = this.#store.use(({ queues }) => queues.commit(ops, this.#options));
    if (result === undefined) {
      this.#log.giveBack(ops);
      return false;
    }
    this.#committed(result);
    return true;
  }

  // --- For other shards.

  /** Reads sessions that another shard has changed. */
  reload(ids: readonly number[] | "all"): void {
    if (ids === "all") this.#reader.readAll();
    else for (const id of ids) this.#reader.read(id);
    this.flush(true); // Of those that were evicted.
  }

  /** Another shard has put something into the queues of these. */
  queuedElsewhere(ids: readonly number[]): void {
    for (const id of ids) {
      const attachment = this.#directory.byId(id)?.attachment;
      attachment?.delivery.queuedElsewhere();
      attachment?.pump();
    }
  }

  /** A shard is gone, and who was connected to it. What it queued last it may not have told. */
  lost(shard: number): void {
    const here: number[] = [];
    for (const session of this.#directory.values()) {
      if (session.holder === shard) session.holder = undefined;
      if (session.attachment !== undefined) here.push(session.id);
    }
    this.queuedElsewhere(here);
  }

  // --- From time to time.

  /**
   * Ends sessions whose time is up, and has the wills sent that are due. `publish`: false when one
   * could not be kept for those it is for; it is tried again.
   */
  sweep(publish: (will: Will, key: string) => boolean): void {
    const { shard, shards, stats } = this.#options;
    const nowMs = this.#time.now();
    this.#adoptLate();
    this.#connections.leave();
    this.#reader.readLate();
    const wills = this.#store.use(({ lives }) => lives.dueWills(nowMs, shards, shard)) ?? [];
    for (const { id, key, will: bytes } of wills) {
      const will = willOf(bytes);
      if (will === undefined) stats.lost.damaged++;
      else if (!publish(will, key)) continue;
      // Those it is for have it by now: a kill in between sends it twice, and never not at all.
      this.#store.use(({ lives }) => lives.willSent(id));
    }
    const expired = this.#store.use(({ lives }) => lives.expired(nowMs, shards, shard)) ?? [];
    // Of those that could not be read.
    for (const { attachment } of this.#directory.values()) {
      if (attachment?.delivery.idle === false) attachment.pump();
    }
    if (expired.length > 0 && this.#end(expired, nowMs)) stats.sessionsExpired += expired.length;
  }

  close(): void {
    this.flush(true);
    this.#log.close();
    this.#store.close();
  }

  /**
   * What a predecessor of this shard was connected to is away; to be done before anybody connects
   * here. Gives these sessions; `undefined`: it failed. `first`: see {@linkcode KeptSettings}; not of
   * a later try, for by then clients may be connected to other shards.
   */
  #adopt(first: boolean): readonly number[] | undefined {
    const { shard, shards } = this.#options;
    if (this.#adopted || shard >= shards) return [];
    const nowMs = this.#time.now();
    const ids = this.#store.use(({ lives }) => lives.adopt(shard, shards, first, nowMs));
    this.#adopted = ids !== undefined;
    return ids;
  }

  /** False: it failed again. */
  #adoptLate(): boolean {
    const ids = this.#adopt(false);
    for (const id of ids ?? []) this.#reread(id);
    return ids !== undefined;
  }

  #end(ids: readonly number[], expiredMs?: number): boolean {
    let done = true;
    // A few at a time: long queues take a while, and other shards want to write.
    for (let at = 0; at < ids.length; at += endsMax) {
      const some = ids.slice(at, at + endsMax);
      done = this.#store.use(({ lives }) => lives.end(some, expiredMs)) !== undefined && done;
    }
    for (const id of ids) this.#reread(id);
    return done;
  }

  readonly #evicted: Evict = (session, resumed) => {
    const { attachment } = session;
    if (attachment === undefined) return;
    session.attachment = undefined;
    const { id } = session;
    this.#log.note({ kind: "sent", session: id, n: attachment.delivery.sent }, false);
    this.#log.note({ kind: "sent_on", session: id, epoch: attachment.epoch }, false);
    attachment.host.evicted(resumed);
  };

  /** Reads a session that was changed here, and has the others read it. False: it failed. */
  #reread(id: number): boolean {
    const done = this.#reader.read(id);
    this.#options.changed([id]);
    return done;
  }

  // --- Messages.

  #committed({ queued, full, ended }: CommitResult): void {
    const { shard, stats } = this.#options;
    // Another shard ended them: then nobody chooses them again.
    for (const { session } of ended) this.#directory.apply(session, undefined, this.#evicted);
    if (ended.length > 0) this.#options.left(ended);
    stats.lost.session_full += full;
    const behind = new Set<KeptAttachment>();
    for (const { session: id, n, message, delivery } of queued) {
      const session = this.#directory.byId(id);
      if (session?.attachment !== undefined) {
        const { attachment } = session;
        attachment.delivery.queued(n, message, delivery);
        if (!attachment.delivery.idle) behind.add(attachment);
      } else if (session?.holder !== undefined && session.holder !== shard) {
        this.#options.queued(session.holder, id);
      }
    }
    for (const attachment of behind) attachment.pump();
  }
}

/** `undefined`: it cannot be read. */
function willOf(bytes: Uint8Array): Will | undefined {
  try {
    return decodeWill(bytes);
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause;
    return undefined;
  }
}
