/**
 * What gathers in a turn and goes to the file of kept sessions in one transaction: messages for
 * queues, and how far handshakes have come.
 *
 * @module
 */
import type { StatementSync } from "node:sqlite";
import { PacketWriter } from "../codec/writer.ts";
import type { Delivery, Message } from "../pubsub/message.ts";
import { writeMessage } from "../pubsub/message_record.ts";
import type { SharedOut } from "../pubsub/shared_out.ts";
import { flagsOf, releasedFlag } from "./kept_row.ts";
import { moveShare, type ShareMove } from "./kept_shares.ts";

/** For whom a message is, and how it gets it. */
export interface QueueTarget {
  readonly session: number;
  readonly delivery: Delivery;
}

export type CommitOp =
  | {
    readonly kind: "queue";
    readonly message: Message;
    readonly targets: readonly QueueTarget[];
  }
  /** The handshake of an outgoing message is through. */
  | { readonly kind: "done"; readonly session: number; readonly n: number }
  /** PUBREC came: the message is not needed any more, its identifier is. */
  | { readonly kind: "released"; readonly session: number; readonly n: number }
  /** A QoS 2 message of the client is sent on: the one of this number in this connection. */
  | {
    readonly kind: "received";
    readonly session: number;
    readonly packetId: number;
    readonly epoch: number;
    readonly n: number;
  }
  /** Where that one went among those who share a subscription. */
  | {
    readonly kind: "shared";
    readonly session: number;
    readonly packetId: number;
    readonly shares: readonly SharedOut[];
  }
  /** Somewhere else than where it went then. */
  | ({ readonly kind: "moved" } & ShareMove)
  /** Its PUBREC is due; its PUBREL came. */
  | {
    readonly kind: "settled" | "forgotten";
    readonly session: number;
    readonly packetId: number;
  }
  /** All that came by this connection was sent on. */
  | { readonly kind: "sent_on"; readonly session: number; readonly epoch: number }
  /** Retained messages up to this topic are in the queue; `undefined`: all of them. */
  | {
    readonly kind: "fed";
    readonly session: number;
    readonly name: string;
    readonly after: string | undefined;
  }
  /** Messages below this number were sent. */
  | { readonly kind: "sent"; readonly session: number; readonly n: number };

export interface CommitBounds {
  /** Of one session. */
  readonly queueMessagesMax: number;
  readonly queueBytesMax: number;
  /** Of all. */
  readonly bytesMax: number;
}

/** A message has its place in a queue. */
export interface Queued extends QueueTarget {
  readonly n: number;
  readonly message: Message;
}

export interface CommitResult {
  readonly queued: readonly Queued[];
  /** Found no room. */
  readonly full: number;
}

/** What a row costs beside its message. */
const rowBytes = 100;
/** All that came by a connection was sent on: its session, and its epoch. */
export const sentOnSql =
  "UPDATE incoming SET epoch = NULL, shares = NULL WHERE session = ? AND epoch = ?";
/** A larger message is not kept within the queue, nor one for several. */
const inlineBytesMax = 2_048;

interface Tally {
  next: number;
  count: number;
  bytes: number;
}

/** See the module. Its methods run within a transaction. */
export class KeptCommit {
  readonly #prepare: (sql: string) => StatementSync;
  readonly #writer = new PacketWriter();

  constructor(prepare: (sql: string) => StatementSync) {
    this.#prepare = prepare;
  }

  run(ops: readonly CommitOp[], bounds: CommitBounds): CommitResult {
    const queued: Queued[] = [];
    let full = 0;
    const total = this.#total();
    const before = { ...total };
    const tallies = new Map<number, Tally | undefined>();
    const tally = (session: number): Tally | undefined => {
      if (!tallies.has(session)) tallies.set(session, this.#tally(session));
      return tallies.get(session);
    };
    for (const op of ops) {
      if (op.kind === "queue") {
        full += this.#queue(op.message, op.targets, tally, total, bounds, queued);
        continue;
      }
      if (op.kind === "done") {
        const bytes = this.#remove(op.session, op.n);
        const its = tally(op.session);
        if (bytes === undefined || its === undefined) continue;
        its.count--;
        its.bytes -= bytes;
        total.count--;
        total.bytes -= bytes;
        continue;
      }
      this.#note(op);
    }
    const update = this.#prepare(
      "UPDATE session SET next = ?, count = ?, bytes = ? WHERE id = ?",
    );
    for (const [id, its] of tallies) {
      if (its !== undefined) update.run(its.next, its.count, its.bytes, id);
    }
    if (total.count !== before.count || total.bytes !== before.bytes) {
      this.#prepare("UPDATE total SET count = ?, bytes = ?").run(total.count, total.bytes);
    }
    return { queued, full };
  }

  /** Empties the queue of a session; gives how many messages were in it. */
  forget(session: number): number {
    const its = this.#tally(session);
    if (its === undefined) return 0;
    const messages = this.#prepare(
      "SELECT message FROM queue WHERE session = ? AND message IS NOT NULL",
    ).all(session);
    for (const { message } of messages) this.#unuse(Number(message));
    this.#prepare("DELETE FROM queue WHERE session = ?").run(session);
    this.#prepare("UPDATE total SET count = count - ?, bytes = bytes - ?").run(
      its.count,
      its.bytes,
    );
    return its.count;
  }

  /** Gives how many had no room for it. */
  #queue(
    message: Message,
    targets: readonly QueueTarget[],
    tally: (session: number) => Tally | undefined,
    total: { count: number; bytes: number },
    bounds: CommitBounds,
    queued: Queued[],
  ): number {
    let full = 0;
    const writer = this.#writer;
    writer.length = 0;
    writeMessage(writer, message);
    const body = writer.bytes.subarray(0, writer.length);
    const bytes = body.length + rowBytes;
    const inline = targets.length === 1 && body.length <= inlineBytesMax;
    let stored: number | undefined;
    let uses = 0;
    for (const { session, delivery } of targets) {
      const its = tally(session);
      if (its === undefined) continue; // It has ended.
      if (
        its.count >= bounds.queueMessagesMax || its.bytes + bytes > bounds.queueBytesMax ||
        total.bytes + bytes > bounds.bytesMax
      ) {
        full++;
        continue;
      }
      if (!inline && stored === undefined) {
        const { lastInsertRowid } = this.#prepare("INSERT INTO message (uses, body) VALUES (0, ?)")
          .run(body);
        stored = Number(lastInsertRowid);
      }
      const n = its.next++;
      this.#prepare("INSERT INTO queue VALUES (?, ?, ?, ?, ?, ?, ?)").run(
        session,
        n,
        flagsOf(delivery),
        delivery.ids.length === 0 ? null : delivery.ids.join(","),
        bytes,
        inline ? body : null,
        stored ?? null,
      );
      uses++;
      its.count++;
      its.bytes += bytes;
      total.count++;
      total.bytes += bytes;
      queued.push({ session, delivery, n, message });
    }
    if (stored !== undefined) {
      this.#prepare("UPDATE message SET uses = ? WHERE id = ?").run(uses, stored);
    }
    return full;
  }

  #note(op: Exclude<CommitOp, { readonly kind: "queue" | "done" }>): void {
    const { session } = op;
    switch (op.kind) {
      case "released":
        this.#release(session, op.n);
        return;
      case "received":
        this.#prepare(
          `INSERT OR IGNORE INTO incoming (session, packet_id, settled, epoch, n)
           SELECT id, ?, 0, ?, ? FROM session WHERE id = ?`,
        ).run(op.packetId, op.epoch, op.n, session);
        return;
      case "shared":
        this.#prepare("UPDATE incoming SET shares = ? WHERE session = ? AND packet_id = ?")
          .run(JSON.stringify(op.shares), session, op.packetId);
        return;
      case "moved":
        return moveShare(this.#prepare, op);
      case "sent_on":
        this.#prepare(sentOnSql).run(session, op.epoch);
        return;
      case "settled":
        this.#prepare(
          "UPDATE incoming SET settled = 1, shares = NULL WHERE session = ? AND packet_id = ?",
        ).run(session, op.packetId);
        return;
      case "forgotten":
        this.#prepare("DELETE FROM incoming WHERE session = ? AND packet_id = ?")
          .run(session, op.packetId);
        return;
      case "fed":
        this.#prepare("UPDATE subscription SET feed = ? WHERE session = ? AND name = ?")
          .run(op.after ?? null, session, op.name);
        return;
      case "sent":
        this.#prepare("UPDATE session SET sent = MAX(sent, ?) WHERE id = ?").run(op.n, session);
        return;
      default:
        op satisfies never;
    }
  }

  /** What it counted for; `undefined`: there is none. */
  #remove(session: number, n: number): number | undefined {
    const row = this.#prepare("SELECT bytes, message FROM queue WHERE session = ? AND n = ?")
      .get(session, n);
    if (row === undefined) return undefined;
    this.#prepare("DELETE FROM queue WHERE session = ? AND n = ?").run(session, n);
    if (row["message"] !== null) this.#unuse(Number(row["message"]));
    return Number(row["bytes"]);
  }

  #release(session: number, n: number): void {
    const row = this.#prepare("SELECT message FROM queue WHERE session = ? AND n = ?")
      .get(session, n);
    if (row === undefined) return;
    if (row["message"] !== null) this.#unuse(Number(row["message"]));
    this.#prepare(
      `UPDATE queue SET flags = flags | ${releasedFlag}, body = NULL, message = NULL
       WHERE session = ? AND n = ?`,
    ).run(session, n);
  }

  #unuse(message: number): void {
    this.#prepare("UPDATE message SET uses = uses - 1 WHERE id = ?").run(message);
    this.#prepare("DELETE FROM message WHERE id = ? AND uses <= 0").run(message);
  }

  #tally(session: number): Tally | undefined {
    const row = this.#prepare("SELECT next, count, bytes FROM session WHERE id = ?").get(session);
    if (row === undefined) return undefined;
    return { next: Number(row["next"]), count: Number(row["count"]), bytes: Number(row["bytes"]) };
  }

  #total(): { count: number; bytes: number } {
    const { count, bytes } = this.#prepare("SELECT count, bytes FROM total").get() ?? {};
    return { count: Number(count ?? 0), bytes: Number(bytes ?? 0) };
  }
}
