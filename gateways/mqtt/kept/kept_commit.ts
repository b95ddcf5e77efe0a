/**
 * What gathers in a turn and goes to the file of kept sessions in one transaction: messages for
 * queues, and how far handshakes have come.
 *
 * @module
 */
import type { StatementSync } from "node:sqlite";
import { PacketWriter } from "../codec/writer.ts";
import type { Message } from "../pubsub/message.ts";
import { writeMessage } from "../pubsub/message_record.ts";
import type { Unfinished } from "../pubsub/shared_hold.ts";
import { type GivenUp, leftOf } from "./kept_left.ts";
import { flagsOf, releasedFlag } from "./kept_row.ts";
import type { CommitOp, QueueTarget } from "./kept_op.ts";
import { moveShare } from "./kept_shares.ts";

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
  /** Were for sessions that have ended. */
  readonly ended: readonly Ended[];
}

/** A message for a session that has ended, one of those who share a subscription. */
interface Ended extends Unfinished {
  readonly session: number;
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
    const result = { queued: new Array<Queued>(), full: 0, ended: new Array<Ended>() };
    const total = this.#total();
    const before = { ...total };
    const tallies = new Map<number, Tally | undefined>();
    const tally = (session: number): Tally | undefined => {
      if (!tallies.has(session)) tallies.set(session, this.#tally(session));
      return tallies.get(session);
    };
    for (const op of ops) {
      if (op.kind === "queue") {
        this.#queue(op.message, op.targets, tally, total, bounds, result);
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
    return result;
  }

  /** Empties the queue of a session; gives what was in it. */
  forget(session: number): GivenUp {
    const its = this.#tally(session);
    if (its === undefined) return { count: 0, left: [] };
    const left = leftOf(this.#prepare, session);
    const messages = this.#prepare(
      "SELECT message FROM queue WHERE session = ? AND message IS NOT NULL",
    ).all(session);
    for (const { message } of messages) this.#unuse(Number(message));
    this.#prepare("DELETE FROM queue WHERE session = ?").run(session);
    this.#prepare("UPDATE total SET count = count - ?, bytes = bytes - ?").run(
      its.count,
      its.bytes,
    );
    return { count: its.count, left };
  }

  #queue(
    message: Message,
    targets: readonly QueueTarget[],
    tally: (session: number) => Tally | undefined,
    total: { count: number; bytes: number },
    bounds: CommitBounds,
    result: { readonly queued: Queued[]; full: number; readonly ended: Ended[] },
  ): void {
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
      if (its === undefined) { // It has ended.
        const { share } = delivery;
        if (share !== undefined) result.ended.push({ session, message, share });
        continue;
      }
      if (
        its.count >= bounds.queueMessagesMax || its.bytes + bytes > bounds.queueBytesMax ||
        total.bytes + bytes > bounds.bytesMax
      ) {
        result.full++;
        continue;
      }
      if (!inline && stored === undefined) {
        const { lastInsertRowid } = this.#prepare("INSERT INTO message (uses, body) VALUES (0, ?)")
          .run(body);
        stored = Number(lastInsertRowid);
      }
      const n = its.next++;
      this.#prepare(`INSERT INTO queue (session, n, flags, ids, bytes, body, message, share)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`).run(
        session,
        n,
        flagsOf(delivery),
        delivery.ids.length === 0 ? null : delivery.ids.join(","),
        bytes,
        inline ? body : null,
        stored ?? null,
        delivery.share?.name ?? null,
      );
      uses++;
      its.count++;
      its.bytes += bytes;
      total.count++;
      total.bytes += bytes;
      result.queued.push({ session, delivery, n, message });
    }
    if (stored !== undefined) {
      this.#prepare("UPDATE message SET uses = ? WHERE id = ?").run(uses, stored);
    }
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
