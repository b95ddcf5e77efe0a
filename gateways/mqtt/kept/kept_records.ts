/**
 * Who has a kept session, and what it subscribed to, in the file.
 *
 * @module
 */
import type { Grant } from "../pubsub/subscription_table.ts";
import { type KeptDatabase, keyColumn, keyOf, number, optional } from "./kept_database.ts";

/** A subscription as it is kept. */
export interface KeptSubscription {
  readonly name: string;
  readonly grant: Grant;
  /**
   * The topic after which retained messages are still to be sent, `""` from the beginning;
   * `undefined`: all were.
   */
  readonly feedAfter: string | undefined;
}

/** A session as it is kept. */
export interface KeptRecord {
  readonly id: number;
  readonly key: string;
  readonly account: string;
  /** Grows with every connection. */
  readonly epoch: number;
  /** The shard it is connected to. */
  readonly holder: number | undefined;
  readonly subscriptions: readonly KeptSubscription[];
}

/** See the module. Every method throws what SQLite throws. */
export class KeptRecords {
  readonly #database: KeptDatabase;

  constructor(database: KeptDatabase) {
    this.#database = database;
  }

  /** Grows with every change of a session or its subscriptions. */
  get revision(): number {
    return number(this.#database.prepare("SELECT revision FROM total").get()?.["revision"]);
  }

  /** Every session's. */
  get ids(): number[] {
    return this.#database.prepare("SELECT id FROM session").all().map(({ id }) => number(id));
  }

  /** `undefined`: it has ended. */
  session(id: number): KeptRecord | undefined {
    const row = this.#database.prepare(
      `SELECT ${keyColumn}, account, epoch, holder FROM session WHERE id = ?`,
    ).get(id);
    if (row === undefined) return undefined;
    const subscriptions = this.#database.prepare(
      "SELECT name, qos, no_local, as_published, sub_id, feed FROM subscription WHERE session = ?",
    ).all(id);
    return {
      id,
      key: keyOf(row),
      account: String(row["account"]),
      epoch: number(row["epoch"]),
      holder: optional(row["holder"]),
      subscriptions: subscriptions.map(readSubscription),
    };
  }

  /** Where its client is; `undefined`: it has ended. */
  place(id: number): Pick<KeptRecord, "epoch" | "holder"> | undefined {
    const row = this.#database.prepare("SELECT epoch, holder FROM session WHERE id = ?").get(id);
    return row && { epoch: number(row["epoch"]), holder: optional(row["holder"]) };
  }

  subscribe(id: number, subscriptions: readonly KeptSubscription[]): void {
    this.#database.transaction(() => {
      for (const { name, grant, feedAfter } of subscriptions) {
        this.#database.prepare(
          "INSERT OR REPLACE INTO subscription SELECT id, ?, ?, ?, ?, ?, ? FROM session WHERE id = ?",
        ).run(
          name,
          grant.qos,
          grant.noLocal ? 1 : 0,
          grant.retainAsPublished ? 1 : 0,
          grant.ids[0] ?? null,
          feedAfter ?? null,
          id,
        );
      }
      this.#database.changed();
    });
  }

  unsubscribe(id: number, names: readonly string[]): void {
    this.#database.transaction(() => {
      for (const name of names) {
        this.#database.prepare("DELETE FROM subscription WHERE session = ? AND name = ?").run(
          id,
          name,
        );
      }
      this.#database.changed();
    });
  }
}

function readSubscription(row: Record<string, unknown>): KeptSubscription {
  const qos = number(row["qos"]);
  const id = optional(row["sub_id"]);
  const feed = row["feed"];
  return {
    name: String(row["name"]),
    grant: {
      qos: qos === 1 || qos === 2 ? qos : 0,
      noLocal: row["no_local"] === 1,
      retainAsPublished: row["as_published"] === 1,
      ids: id === undefined ? [] : [id],
    },
    feedAfter: typeof feed === "string" ? feed : undefined,
  };
}
