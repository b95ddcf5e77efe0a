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
import type { Clock } from "../../../runtime/clock.ts";
import type { Will } from "../codec/connect.ts";
import { reasonCodes } from "../codec/reason_code.ts";
import { parseFilter } from "../pubsub/filter.ts";
import type { Message } from "../pubsub/message.ts";
import type { PubSubStats } from "../pubsub/pubsub_stats.ts";
import type { SubscriptionTable } from "../pubsub/subscription_table.ts";
import { KeptAttachment, type KeptHost } from "./kept_attachment.ts";
import type { CommitBounds, CommitOp, CommitResult, QueueTarget } from "./kept_commit.ts";
import { KeptDirectory } from "./kept_directory.ts";
import {
  type ClaimRequest,
  type Detachment,
  KeptFile,
  type KeptSubscription,
} from "./kept_file.ts";
import { KeptLog } from "./kept_log.ts";
import type { KeptSession } from "./kept_session.ts";
import { decodeWill } from "./will_record.ts";

export interface KeptBounds extends CommitBounds {
  /** Sessions that are kept. */
  readonly countMax: number;
}

/** What is the same for every shard of a process. */
export interface KeptSettings extends KeptBounds {
  readonly file: string;
  /** Of shards that take connections. */
  readonly shards: number;
  /** The file could not be opened, written or read. */
  failed(cause: unknown): void;
}

export interface KeptSessionsOptions extends KeptSettings {
  readonly shard: number;
  readonly clock: Clock;
  readonly table: SubscriptionTable;
  readonly stats: PubSubStats;
  /** Every other shard is to read these sessions anew. */
  changed(ids: readonly number[]): void;
  /** Resolves when they have; `undefined`: they have. */
  known(): Promise<unknown> | undefined;
  /** Something waits for a session that is connected to another shard. */
  queued(shard: number, id: number): void;
}

/** What a connection may do. */
export interface KeptPermit {
  subscribe(filter: string): boolean;
}

export type ClaimResult =
  /** `will` is that of a session that ended by this, and is to be sent. */
  | {
    readonly kind: "attached";
    readonly attachment: KeptAttachment;
    readonly will: Will | undefined;
  }
  /** The session there was has ended, and none is kept. */
  | { readonly kind: "discarded"; readonly will: Will | undefined }
  | { readonly kind: "evicted" }
  | { readonly kind: "refused"; readonly reasonCode: number; readonly detail: string };

/** How a connection leaves its session. */
export type Leaving = Pick<Detachment, "expiryS" | "willLater">;

const unavailable: ClaimResult = {
  kind: "refused",
  reasonCode: reasonCodes.serverUnavailable,
  detail: "the file of kept sessions failed",
};

/** See the module. */
export class KeptSessions {
  readonly #options: KeptSessionsOptions;
  readonly #directory: KeptDirectory;
  readonly #log: KeptLog;
  #file: KeptFile | undefined;
  #revision = -1;
  /** Connections have ended, and the file does not know yet. */
  readonly #leaving = new Map<number, Detachment>();

  /** Opens or makes the file; when that fails it is tried again with every use. */
  constructor(options: KeptSessionsOptions) {
    this.#options = options;
    const { shard, shards, clock, table } = options;
    this.#directory = new KeptDirectory(table);
    this.#log = new KeptLog(clock, () => this.flush());
    if (shard < shards) this.#try((file) => file.adopt(shard, shards, clock.now()));
    this.reload("all");
  }

  /** Whether there is a session of that key. */
  has(key: string): boolean {
    return this.#directory.byKey(key) !== undefined;
  }

  get count(): number {
    return this.#directory.count;
  }

  /** Messages in the queues, and what they count for. */
  get total(): { readonly count: number; readonly bytes: number } {
    return this.#try((file) => file.total) ?? { count: 0, bytes: 0 };
  }

  // --- For connections.

  /** A client has connected. Until the promise resolves, nothing of the session may be used. */
  async claim(
    request: ClaimRequest,
    host: KeptHost,
    permit: KeptPermit | undefined,
  ): Promise<ClaimResult> {
    this.flush(true);
    const { shard, countMax, stats, clock } = this.#options;
    const before = this.#directory.byKey(request.key);
    const claimed = this.#try((file) => file.claim(request, shard, countMax, clock.now()));
    if (claimed === undefined) return unavailable;
    if (claimed === "full") {
      stats.sessionsRefused++;
      if (before !== undefined) this.#reread(before.id); // It has ended all the same.
      const detail = `${countMax} sessions are kept already`;
      return { kind: "refused", reasonCode: reasonCodes.quotaExceeded, detail };
    }
    const { id, epoch, endedId, endedWill } = claimed;
    this.#leaving.delete(id);
    if (endedId !== undefined) this.#reread(endedId);
    this.#reread(id);
    const session = this.#directory.byId(id);
    if (session === undefined) return unavailable;
    this.#withdraw(session, permit);
    // To hear of others that claim it, from now on.
    const place = { session, host, epoch, present: claimed.present, permit };
    session.attachment = this.#attachment(place, { sent: 0, next: 0 }, new Map());
    await this.#options.known();
    if (session.attachment?.host !== host) return { kind: "evicted" };
    this.flush(true);
    const received = this.#try((file) => file.received(id));
    const progress = this.#try((file) => file.progress(id));
    if (received === undefined || progress === undefined) {
      session.attachment = undefined;
      return unavailable;
    }
    const attachment = this.#attachment(place, progress, received);
    session.attachment = attachment;
    return { kind: "attached", attachment, will: willOf(endedWill) };
  }

  /** Ends the session of a key, for a client that wants none. */
  async discard(key: string): Promise<ClaimResult> {
    this.flush(true);
    const session = this.#directory.byKey(key);
    if (session === undefined) return { kind: "discarded", will: undefined };
    const wills = this.#try((file) => file.end([session.id]));
    if (wills === undefined) return unavailable;
    this.#reread(session.id);
    await this.#options.known();
    return { kind: "discarded", will: willOf(wills[0]) };
  }

  /** A connection has ended. */
  detach(attachment: KeptAttachment, leaving: Leaving): void {
    const { session, epoch, delivery } = attachment;
    if (session.attachment?.host !== attachment.host) return; // It is another one's.
    session.attachment = undefined;
    this.flush(true);
    this.#leaving.set(session.id, { id: session.id, epoch, sent: delivery.sent, ...leaving });
    this.#leave();
  }

  /** False when it could not be written. */
  subscribe(session: KeptSession, subscriptions: readonly KeptSubscription[]): boolean {
    const done = this.#try((file) => {
      file.subscribe(session.id, subscriptions);
      return true;
    });
    this.#reread(session.id);
    return done === true;
  }

  unsubscribe(session: KeptSession, names: readonly string[]): boolean {
    const done = this.#try((file) => {
      file.unsubscribe(session.id, names);
      return true;
    });
    this.#reread(session.id);
    return done === true;
  }

  // --- For messages.

  /** Puts a message into queues, with the next flush. */
  queue(message: Message, targets: readonly QueueTarget[]): void {
    this.#log.note({ kind: "queue", message, targets }, false);
  }

  /**
   * Commits what gathered, and sends on what is for connections here. False when it could not be
   * written: then what was done since the last flush must not be acknowledged.
   */
  flush(all = false): boolean {
    const ops = this.#log.take(all);
    if (ops === undefined) return true;
    const result = this.#try((file) => file.commit(ops, this.#options));
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
    if (ids === "all") {
      const revision = this.#try((file) => file.revision);
      if (revision === undefined || revision === this.#revision) return;
      const records = this.#try((file) => file.all());
      if (records === undefined) return;
      this.#revision = revision;
      this.#directory.replace(records, this.#evict);
    } else {
      for (const id of ids) this.#read(id);
    }
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

  /** Ends sessions whose time is up, and gives the wills that are due, to be sent. */
  sweep(publish: (will: Will, key: string) => void): void {
    const { clock, shard, shards, stats } = this.#options;
    const nowMs = clock.now();
    this.#leave();
    const wills = this.#try((file) => file.dueWills(nowMs, shards, shard)) ?? [];
    for (const { id, key, will } of wills) {
      const known = willOf(will);
      if (known !== undefined) publish(known, key);
      // What it is for has it by now: a kill in between sends it twice, and never not at all.
      if (this.flush()) this.#try((file) => file.willSent(id));
    }
    const expired = this.#try((file) => file.expired(nowMs, shards, shard)) ?? [];
    if (expired.length === 0) return;
    this.#end(expired);
    stats.sessionsExpired += expired.length;
  }

  close(): void {
    this.flush(true);
    this.#log.close();
    this.#file?.close();
    this.#file = undefined;
  }

  // --- Connections.

  #attachment(
    { session, host, epoch, present, permit }: {
      readonly session: KeptSession;
      readonly host: KeptHost;
      readonly epoch: number;
      readonly present: boolean;
      readonly permit: KeptPermit | undefined;
    },
    { sent, next }: { readonly sent: number; readonly next: number },
    received: ReadonlyMap<number, boolean>,
  ): KeptAttachment {
    const { clock, stats } = this.#options;
    const { id } = session;
    const unfed = [...session.unfed].map(([name, after]) => ({ name, after }));
    return new KeptAttachment({
      session,
      host,
      epoch,
      present,
      received,
      unfed,
      delivery: {
        sent,
        checkBelow: next,
        mayRead: permit === undefined ? undefined : (topic) => permit.subscribe(topic),
        stats,
        now: () => clock.now(),
        page: (from, countMax) => this.#try((file) => file.page(id, from, countMax)) ?? [],
        note: (op: CommitOp, later: boolean) => this.#log.note(op, later),
      },
    });
  }

  /** Takes back subscriptions that the account may not have any more. */
  #withdraw(session: KeptSession, permit: KeptPermit | undefined): void {
    if (permit === undefined) return;
    const denied = [...session.grants.keys()]
      .filter((name) => !permit.subscribe(parseFilter(name).filter));
    if (denied.length > 0) this.unsubscribe(session, denied);
  }

  /** Tells the file of connections that have ended. */
  #leave(): void {
    for (const detachment of this.#leaving.values()) {
      const { id } = detachment;
      const now = this.#options.clock.now();
      if (this.#try((file) => file.detach(detachment, now)) === undefined) return;
      this.#leaving.delete(id);
      this.#reread(id);
    }
  }

  #end(ids: readonly number[]): void {
    this.#try((file) => file.end(ids));
    for (const id of ids) this.#reread(id);
  }

  readonly #evict = (session: KeptSession, resumed: boolean): void => {
    const { attachment } = session;
    if (attachment === undefined) return;
    session.attachment = undefined;
    const { id } = session;
    this.#log.note({ kind: "sent", session: id, n: attachment.delivery.sent }, false);
    attachment.host.evicted(resumed);
  };

  /** Reads a session that was changed here, and has the others read it. */
  #reread(id: number): void {
    this.#read(id);
    this.#options.changed([id]);
  }

  #read(id: number): void {
    const record = this.#try((file) => ({ found: file.session(id) }));
    if (record !== undefined) this.#directory.apply(id, record.found, this.#evict);
  }

  // --- Messages.

  #committed({ queued, full }: CommitResult): void {
    const { shard, stats } = this.#options;
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

  #try<T>(use: (file: KeptFile) => T): T | undefined {
    const { file, failed, stats } = this.#options;
    try {
      return use(this.#file ??= new KeptFile(file));
    } catch (cause) {
      stats.keptFailed++;
      failed(cause);
      return undefined;
    }
  }
}

function willOf(bytes: Uint8Array | undefined): Will | undefined {
  return bytes === undefined ? undefined : decodeWill(bytes);
}
