/**
 * Clients that come and go: they claim their sessions, which changes the file and has the other
 * shards give up what they have of them, and leave them again. Those of a shard that is gone have
 * left, too.
 *
 * @module
 */
import type { Will } from "../codec/connect.ts";
import { reasonCodes } from "../codec/reason_code.ts";
import type { KeptAccounts } from "./kept_accounts.ts";
import { KeptAttachment, type KeptHost } from "./kept_attachment.ts";
import type { CommitOp } from "./kept_op.ts";
import type { KeptDirectory } from "./kept_directory.ts";
import type { Claimed, ClaimRequest, Detachment } from "./kept_lives.ts";
import type { KeptLog } from "./kept_log.ts";
import type { Received } from "./kept_queues.ts";
import type { KeptPermit, KeptSessionsOptions } from "./kept_options.ts";
import type { KeptSession } from "./kept_session.ts";
import type { KeptStore } from "./kept_store.ts";
import { decodeWill } from "./will_record.ts";

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
export type Leaving = Pick<Detachment, "expiryS" | "will">;

const unavailable: ClaimResult = {
  kind: "refused",
  reasonCode: reasonCodes.serverUnavailable,
  detail: "the file of kept sessions failed",
};

/** What they do with sessions that others need, too. */
export interface KeptHome {
  /** Commits what gathered. */
  flush(): void;
  /** Tries once more to learn which sessions there are. False: it is not known. */
  learn(): boolean;
  /** False: what is published is refused, for it is not known which sessions it is for. */
  knows(): boolean;
  /** Reads a session that was changed here, and has the others read it. False: it failed. */
  reread(id: number): boolean;
}

export interface ConnectionsOptions
  extends Pick<KeptSessionsOptions, "shard" | "shards" | "clock" | "stats" | "countMax" | "known"> {
  /** Wall time in ms, once the times in the file have followed it. */
  readonly now: () => number;
  readonly store: KeptStore;
  readonly directory: KeptDirectory;
  readonly log: KeptLog;
  readonly home: KeptHome;
  readonly accounts: KeptAccounts;
}

/** A connection, and the session it is of. */
interface Place {
  readonly session: KeptSession;
  readonly host: KeptHost;
  readonly epoch: number;
  readonly present: boolean;
  readonly permit: KeptPermit | undefined;
}

/** See the module. */
export class KeptConnections {
  readonly #options: ConnectionsOptions;
  /** Connections have ended, and the file does not know yet. */
  readonly #leaving = new Map<number, Detachment>();
  #adopted = false;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
  }

  /**
   * What a predecessor of this shard was connected to is away; to be done before anybody connects
   * here. Gives these sessions; `undefined`: it failed. `first`: see {@linkcode KeptSettings}; not of
   * a later try, for by then clients may be connected to other shards.
   */
  adopt(first: boolean): readonly number[] | undefined {
    const { shard, shards, store, now } = this.#options;
    if (this.#adopted || shard >= shards) return [];
    const nowMs = now();
    const ids = store.use(({ lives }) => lives.adopt(shard, shards, first, nowMs));
    this.#adopted = ids !== undefined;
    return ids;
  }

  /** False: it failed again. */
  adoptLate(): boolean {
    const ids = this.adopt(false);
    for (const id of ids ?? []) this.#options.home.reread(id);
    return ids !== undefined;
  }

  /** A client has connected. Until the promise resolves, nothing of the session may be used. */
  async claim(
    request: ClaimRequest,
    host: KeptHost,
    permit: KeptPermit | undefined,
  ): Promise<ClaimResult> {
    this.#options.home.flush();
    if (!this.adoptLate() || !this.#options.home.learn()) return unavailable;
    const { shard, countMax, stats } = this.#options;
    const nowMs = this.#options.now();
    const before = this.#options.directory.byKey(request.key);
    const claimed = this.#options.store.use(({ lives }) =>
      lives.claim(request, shard, countMax, nowMs)
    );
    if (claimed === undefined) return unavailable;
    if (claimed === "full") {
      stats.sessionsRefused++;
      if (before !== undefined) this.#options.home.reread(before.id); // It has ended all the same.
      const detail = `${countMax} sessions are kept already`;
      return { kind: "refused", reasonCode: reasonCodes.quotaExceeded, detail };
    }
    host.placed();
    const { id, epoch, endedId, endedWill } = claimed;
    this.#leaving.delete(id);
    if (endedId !== undefined) this.#options.home.reread(endedId);
    const isRead = this.#options.home.reread(id);
    const session = this.#options.directory.byId(id);
    if (!isRead || session === undefined) return this.#giveUp(claimed);
    if (permit !== undefined) this.#options.accounts.withdraw(session, permit);
    // To hear of others that claim it, from now on.
    const place = { session, host, epoch, present: claimed.present, permit };
    session.attachment = this.#attachment(place, { sent: 0, next: 0 }, new Map());
    await this.#options.known();
    if (session.attachment?.host !== host) return { kind: "evicted" };
    this.#options.home.flush();
    const state = this.#options.store.use(({ queues }) => {
      const progress = queues.progress(id);
      if (progress.next > 0) queues.page(id, 0, 1); // Else the client would wait for what is there.
      return { progress, received: queues.received(id) };
    });
    if (state === undefined) {
      session.attachment = undefined;
      return this.#giveUp(claimed);
    }
    const attachment = this.#attachment(place, state.progress, state.received);
    session.attachment = attachment;
    return { kind: "attached", attachment, will: decodeWill(endedWill) };
  }

  /** A session that cannot be read is left at once: else it would be connected for ever. */
  #giveUp({ id, epoch, expiryS }: Claimed): ClaimResult {
    this.#leaving.set(id, { id, epoch, sent: 0, expiryS, will: "none" });
    return unavailable;
  }

  /** Ends the session of a key, for a client that wants none. */
  async discard(key: string): Promise<ClaimResult> {
    this.#options.home.flush();
    const session = this.#options.directory.byKey(key);
    if (session === undefined) return { kind: "discarded", will: undefined };
    const wills = this.#options.store.use(({ lives }) => lives.end([session.id]));
    if (wills === undefined) return unavailable;
    this.#options.home.reread(session.id);
    await this.#options.known();
    return { kind: "discarded", will: decodeWill(wills[0]) };
  }

  /** A connection has ended. */
  detach(attachment: KeptAttachment, leaving: Leaving): void {
    const { session, epoch, delivery } = attachment;
    if (session.attachment?.host !== attachment.host) return; // It is another one's.
    session.attachment = undefined;
    this.#options.home.flush();
    this.#leaving.set(session.id, { id: session.id, epoch, sent: delivery.sent, ...leaving });
    this.leave();
  }

  /** The will of a session that was left is out. */
  willSent(id: number): void {
    const leaving = this.#leaving.get(id);
    if (leaving !== undefined) this.#leaving.set(id, { ...leaving, will: "none" });
    else this.#options.store.use(({ lives }) => lives.willSent(id));
  }

  /** Tells the file of connections that have ended, as far as it does not know. */
  leave(): void {
    for (const detachment of this.#leaving.values()) {
      const { id } = detachment;
      const now = this.#options.now();
      if (this.#options.store.use(({ lives }) => lives.detach(detachment, now)) === undefined) {
        return;
      }
      this.#leaving.delete(id);
      this.#options.home.reread(id);
    }
  }

  #attachment(
    { session, host, epoch, present, permit }: Place,
    { sent, next }: { readonly sent: number; readonly next: number },
    received: ReadonlyMap<number, Received>,
  ): KeptAttachment {
    const { clock, stats, home, log } = this.#options;
    const { id } = session;
    const unfed = [...session.unfed ?? []].map(([name, after]) => ({ name, after }));
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
        page: (from, countMax) =>
          this.#options.store.use(({ queues }) => queues.page(id, from, countMax)),
        note: (op: CommitOp, later: boolean) => {
          // Of a message that is refused: when it comes again, nobody has had it.
          if (op.kind === "received" && !home.knows()) return;
          log.note(op, later);
        },
      },
    });
  }
}
