/**
 * The queues of kept sessions in the file, and how far each handshake has come.
 *
 * @module
 */
import { type CommitBounds, type CommitResult, KeptCommit } from "./kept_commit.ts";
import { type KeptDatabase, number } from "./kept_database.ts";
import { parseSharedOut, type SharedOut } from "../pubsub/shared_out.ts";
import type { GivenUp } from "./kept_left.ts";
import type { CommitOp } from "./kept_op.ts";
import { type KeptRow, readRow } from "./kept_row.ts";
import { beforeRestart, markOf, type Origin, sharesOf } from "./kept_shares.ts";

/** A page of a queue ends with the message that reaches this. */
const pageBytesMax = 256 * 1024;

/** A QoS 2 message of the client, as far as its handshake has come. */
export interface Received {
  /** PUBREC was due. */
  readonly settled: boolean;
  /** Not every shard may have it: it is known by this where it is. */
  readonly mark: string | undefined;
  /** It was sent before a restart of the process. */
  readonly sharedOnly: boolean;
  /** Where it is among those who share a subscription. */
  readonly shares: readonly SharedOut[];
}

/** See the module. Every method throws what SQLite throws. */
export class KeptQueues {
  readonly #database: KeptDatabase;
  readonly #commit: KeptCommit;

  constructor(database: KeptDatabase) {
    this.#database = database;
    this.#commit = new KeptCommit((sql) => database.prepare(sql));
  }

  /** Messages of all queues, and what they count for. */
  get total(): { readonly count: number; readonly bytes: number } {
    const { count, bytes } = this.#database.prepare("SELECT count, bytes FROM total").get() ?? {};
    return { count: number(count), bytes: number(bytes) };
  }

  /** Messages from number `from` on, in order, `countMax` at most. */
  page(id: number, from: number, countMax: number): KeptRow[] {
    // Not by `iterate`, which ends without a word when SQLite fails.
    return this.#database.prepare(
      `SELECT n, flags, ids, bytes, COALESCE(its.body, message.body) AS body FROM
       (SELECT *, SUM(bytes) OVER (ORDER BY n) - bytes AS before FROM
        (SELECT * FROM queue WHERE session = ? AND n >= ? ORDER BY n LIMIT ?)) AS its
       LEFT JOIN message ON message.id = its.message
       WHERE before < ${pageBytesMax} ORDER BY n`,
    ).all(id, from, countMax).map(readRow);
  }

  /** How far the queue has come: messages below `sent` were sent, those from `next` on are to come. */
  progress(id: number): { readonly sent: number; readonly next: number } {
    const row = this.#database.prepare("SELECT sent, next FROM session WHERE id = ?").get(id);
    return { sent: number(row?.["sent"]), next: number(row?.["next"]) };
  }

  /** QoS 2 packet identifiers the client used and has not released. */
  received(id: number): Map<number, Received> {
    const rows = this.#database.prepare(
      "SELECT packet_id, settled, epoch, n, shares FROM incoming WHERE session = ?",
    ).all(id);
    return new Map(rows.map(({ packet_id, settled, epoch, n, shares }) => [
      number(packet_id),
      {
        settled: settled === 1,
        mark: epoch === null ? undefined : markOf({
          session: id,
          packetId: number(packet_id),
          epoch: number(epoch),
          n: number(n),
        }),
        sharedOnly: epoch === beforeRestart,
        shares: parseSharedOut(shares),
      },
    ]));
  }

  /** Where a message that may be sent on again is now among those who share a subscription. */
  shares(origin: Origin): SharedOut[] {
    return sharesOf((sql) => this.#database.prepare(sql), origin);
  }

  /** See {@linkcode KeptCommit}. */
  commit(ops: readonly CommitOp[], bounds: CommitBounds): CommitResult {
    return this.#database.transaction(() => this.#commit.run(ops, bounds));
  }

  /** Empties the queue of a session that ends, within a transaction. Gives what was in it. */
  forget(session: number): GivenUp {
    return this.#commit.forget(session);
  }
}
