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
import type { Will } from "../codec/connect.ts";
import type { Message } from "../pubsub/message.ts";
import type { SharedOut, ShareTurn } from "../pubsub/shared_out.ts";
import { KeptAccounts } from "./kept_accounts.ts";
import type { KeptAttachment, KeptHost } from "./kept_attachment.ts";
import { KeptClock } from "./kept_clock.ts";
import type { CommitResult } from "./kept_commit.ts";
import { type ClaimResult, KeptConnections, type Leaving } from "./kept_connections.ts";
import { type Evict, KeptDirectory } from "./kept_directory.ts";
import { KeptEnds } from "./kept_ends.ts";
import type { ClaimRequest } from "./kept_lives.ts";
import { KeptLog } from "./kept_log.ts";
import type { QueueTarget } from "./kept_op.ts";
import type { KeptPermit, KeptSessionsOptions } from "./kept_options.ts";
import { KeptReader } from "./kept_reader.ts";
import type { KeptSubscription } from "./kept_records.ts";
import type { KeptSession } from "./kept_session.ts";
import { originOf } from "./kept_shares.ts";
import { KeptStore } from "./kept_store.ts";

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
  readonly #ends: KeptEnds;
  readonly #time: KeptClock;

  /** Opens or makes the file; when that fails it is tried again with every use. */
  constructor(options: KeptSessionsOptions) {
    this.#options = options;
    const { shard, clock, table } = options;
    const store = this.#store = new KeptStore(options);
    this.#time = new KeptClock(clock, {
      moved: () => store.use(({ lives }) => lives.moved()),
      move: (...by) => store.use(({ lives }) => lives.move(...by)),
    });
    this.#time.look();
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
    const reread = (id: number) => this.#reread(id);
    const ends = this.#ends = new KeptEnds({ ...options, store, reread });
    const home = {
      flush: () => this.flush(true),
      learn: () => this.#reader.know(),
      knows: () => !this.#reader.unknown,
      reread,
      end: (ids: readonly number[]) => ends.end(ids),
      unsubscribe: (session: KeptSession, names: readonly string[]) =>
        this.unsubscribe(session, names),
    };
    const now = () => this.#time.now();
    const accounts = this.accounts = new KeptAccounts({ ...options, now, store, directory, home });
    this.#connections = new KeptConnections({
      ...options,
      now,
      store,
      directory,
      log,
      home,
      accounts,
    });
    this.#connections.adopt(options.first);
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
    const nowMs = this.#time.look();
    this.#connections.adoptLate();
    this.#connections.leave();
    this.#reader.readLate();
    this.#ends.sendWills(nowMs, publish);
    // Of those that could not be read.
    for (const { attachment } of this.#directory.values()) {
      if (attachment?.delivery.idle === false) attachment.pump();
    }
    this.#ends.expire(nowMs);
  }

  close(): void {
    this.flush(true);
    this.#log.close();
    this.#store.close();
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
