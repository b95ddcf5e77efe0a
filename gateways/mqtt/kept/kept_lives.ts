/**
 * How kept sessions begin, change their connections and end, in the file.
 *
 * @module
 */
import { jumpMsMin } from "./kept_clock.ts";
import { sentOnSql } from "./kept_commit.ts";
import { blob, type KeptDatabase, keyColumn, keyOf, number, optional } from "./kept_database.ts";
import type { GivenUp } from "./kept_left.ts";
import type { KeptQueues } from "./kept_queues.ts";
import { restartedSql } from "./kept_shares.ts";

/** Who connects, and what for. */
export interface ClaimRequest {
  readonly key: string;
  readonly account: string;
  readonly clean: boolean;
  readonly expiryS: number;
  /** As {@linkcode encodeWill} wrote it. */
  readonly will: Uint8Array | undefined;
  readonly willDelayS: number;
}

export interface Claimed {
  readonly id: number;
  readonly epoch: number;
  /** There was one, and it goes on. */
  readonly present: boolean;
  /** How long it is kept should its client not get it after all: a session that was there, as before. */
  readonly expiryS: number;
  /** A session that ended by this one, and its will, if it is still to be sent. */
  readonly endedId: number | undefined;
  readonly endedWill: Uint8Array | undefined;
}

/** What is left when a connection ends. */
export interface Detachment {
  readonly id: number;
  readonly epoch: number;
  readonly sent: number;
  readonly expiryS: number;
  readonly will: WillTime;
}

/**
 * When a will is sent: by whoever ends the connection, or when its delay is over. `now` is kept for
 * the case that it does not come to that.
 */
export type WillTime = "none" | "now" | "later";

/** So much later a will is sent that was to be sent at once, and perhaps was not. */
const willGraceS = 10;
/** When so many messages were given up with sessions, the next one has to wait for the next sweep. */
const endedMessagesMax = 10_000;

/** See the module. Every method throws what SQLite throws; each is one transaction. */
export class KeptLives {
  readonly #database: KeptDatabase;
  readonly #queues: Pick<KeptQueues, "forget">;
  readonly #givenUp: (what: GivenUp) => void;

  /** `givenUp` hears of messages that waited for sessions which ended. */
  constructor(
    database: KeptDatabase,
    queues: Pick<KeptQueues, "forget">,
    givenUp: (what: GivenUp) => void,
  ) {
    this.#database = database;
    this.#queues = queues;
    this.#givenUp = givenUp;
  }

  /**
   * A client has connected to a shard; `full`: there are as many sessions as may be. A session whose
   * time is up does not go on, though it has not been swept away [MQTT-4.1.0-2].
   */
  claim(
    request: ClaimRequest,
    shard: number,
    countMax: number,
    nowMs: number,
  ): Claimed | "full" {
    const { key, account, clean, expiryS, will = null, willDelayS } = request;
    return this.#database.transaction(() => {
      const before = this.#database.prepare(
        "SELECT id, epoch, expiry_s, will, will_due_ms, expires_ms FROM session WHERE key = ?",
      ).get(key);
      const over = clean || number(before?.["expires_ms"] ?? Infinity) <= nowMs;
      if (before !== undefined && !over) {
        const id = number(before["id"]);
        const epoch = number(before["epoch"]) + 1;
        this.#database.prepare(
          `UPDATE session SET epoch = ?, holder = ?, expiry_s = ?, expires_ms = NULL, will = ?,
           will_delay_s = ?, will_due_ms = NULL WHERE id = ?`,
        ).run(epoch, shard, expiryS, will, willDelayS, id);
        this.#database.changed();
        const ended = { endedId: undefined, endedWill: undefined };
        return { id, epoch, present: true, expiryS: number(before["expiry_s"]), ...ended };
      }
      let endedId: number | undefined;
      let endedWill: Uint8Array | undefined;
      if (before !== undefined) {
        endedId = number(before["id"]);
        // The will of one that is connected is the business of who holds it.
        if (before["will_due_ms"] !== null) endedWill = blob(before["will"]);
        this.#delete(endedId);
      }
      const { sessions } =
        this.#database.prepare("SELECT COUNT(*) AS sessions FROM session").get() ?? {};
      if (number(sessions) >= countMax) return "full";
      const { lastInsertRowid } = this.#database.prepare(
        `INSERT INTO session (key, account, epoch, holder, expiry_s, will, will_delay_s)
         VALUES (?, ?, 1, ?, ?, ?, ?)`,
      ).run(key, account, shard, expiryS, will, willDelayS);
      this.#database.changed();
      const id = number(lastInsertRowid);
      return { id, epoch: 1, present: false, expiryS, endedId, endedWill };
    });
  }

  /** For how long from now the account has a session of that key; 0: it has none. */
  lastsMs(account: string, key: string, nowMs: number): number {
    const row = this.#database.prepare(
      "SELECT expires_ms FROM session WHERE key = ? AND account = ?",
    ).get(key, account);
    if (row === undefined) return 0;
    return Math.max(0, (optional(row["expires_ms"]) ?? Infinity) - nowMs);
  }

  /** The account's sessions whose time is not up, in all shards; counted to one beyond `max`. */
  countOf(account: string, max: number, nowMs: number): number {
    const row = this.#database.prepare(
      `SELECT COUNT(*) AS sessions FROM (
         SELECT 1 FROM session WHERE account = ? AND account <> ''
         AND (expires_ms IS NULL OR expires_ms > ?) LIMIT ?)`,
    ).get(account, nowMs, max + 1);
    return number(row?.["sessions"]);
  }

  /** The connection has ended. False when the session is another one's by now, or is over. */
  detach({ id, epoch, sent, expiryS, will }: Detachment, nowMs: number): boolean {
    return this.#database.transaction(() => {
      this.#database.changed();
      const whose = this.#database.prepare("SELECT 1 FROM session WHERE id = ? AND epoch = ?");
      if (whose.get(id, epoch) === undefined) return false;
      if (expiryS === 0) {
        this.#database.prepare(
          "UPDATE session SET holder = NULL, sent = MAX(sent, ?) WHERE id = ?",
        ).run(sent, id);
        this.#delete(id);
        return true;
      }
      this.#database.prepare(
        `UPDATE session SET holder = NULL, sent = MAX(sent, ?1), expiry_s = ?2,
         expires_ms = ?3 + ?2 * 1000, will = CASE ?4 WHEN 'none' THEN NULL ELSE will END,
         will_due_ms = ?3 + 1000 * CASE WHEN ?4 = 'none' OR will IS NULL THEN NULL
           WHEN ?4 = 'now' THEN ${willGraceS} ELSE MIN(will_delay_s, ?2) END WHERE id = ?5`,
      ).run(sent, expiryS, nowMs, will, id);
      this.#database.prepare(sentOnSql).run(id, epoch);
      return true;
    });
  }

  /**
   * Sessions end: what waits for them is given up. Gives the wills that were to be sent later.
   * `expiredMs`: only those whose time is still up then, for their client may have come since.
   */
  end(ids: readonly number[], expiredMs = Infinity): Uint8Array[] {
    return this.#database.transaction(() => {
      const wills: Uint8Array[] = [];
      for (const id of ids) {
        const row = this.#database.prepare(
          "SELECT will, will_due_ms, expires_ms FROM session WHERE id = ?",
        ).get(id);
        if (expiredMs < (optional(row?.["expires_ms"] ?? null) ?? Infinity)) continue;
        const will = blob(row?.["will"]);
        if (will !== undefined && row?.["will_due_ms"] !== null) wills.push(will);
        this.#delete(id);
      }
      this.#database.changed();
      return wills;
    });
  }

  /** The will that is to be sent later. */
  willOf(id: number): Uint8Array | undefined {
    const row = this.#database.prepare(
      "SELECT will FROM session WHERE id = ? AND will_due_ms IS NOT NULL",
    ).get(id);
    return blob(row?.["will"]);
  }

  /** A will was sent, or is not to be sent any more; not that of who has come since. */
  willSent(id: number): void {
    this.#database.prepare(
      "UPDATE session SET will = NULL, will_due_ms = NULL WHERE id = ? AND will_due_ms IS NOT NULL",
    ).run(id);
  }

  /**
   * Sessions whose time is up and whose will is sent, of those with `id mod of = mine`: as many as
   * may end without keeping the shard from all else.
   */
  expired(nowMs: number, of: number, mine: number): number[] {
    return this.#database.prepare(
      `SELECT id FROM (SELECT id, SUM(count) OVER (ORDER BY expires_ms, id) - count AS before FROM
         (SELECT id, count, expires_ms FROM session WHERE expires_ms <= ? AND will_due_ms IS NULL
          AND id % ? = ? ORDER BY expires_ms, id LIMIT 200))
       WHERE before < ${endedMessagesMax}`,
    ).all(nowMs, of, mine).map(({ id }) => number(id));
  }

  /** See {@linkcode KeptTimes}. */
  moved(): number {
    return number(this.#database.prepare("SELECT moved_ms FROM clock").get()?.["moved_ms"]);
  }

  /**
   * No session ends earlier or later for a clock that was set: see {@linkcode KeptTimes}. What was
   * left while the clock showed something later, in an earlier run, stays as it is.
   */
  move(byMs: number, nowMs: number, sinceMs: number | undefined): number {
    return this.#database.transaction(() => {
      const movedMs = this.moved();
      const restMs = byMs - (movedMs - (sinceMs ?? movedMs));
      if (Math.abs(restMs) < jumpMsMin) return movedMs;
      const beforeMs = nowMs - restMs;
      this.#database.prepare(
        `UPDATE session SET expires_ms = expires_ms + ?1, will_due_ms = will_due_ms + ?1
         WHERE expires_ms - expiry_s * 1000 <= ?2`,
      ).run(restMs, beforeMs + jumpMsMin / 2);
      this.#database.prepare("UPDATE clock SET moved_ms = ?").run(movedMs + restMs);
      return movedMs + restMs;
    });
  }

  dueWills(
    nowMs: number,
    of: number,
    mine: number,
  ): { id: number; key: string; will: Uint8Array }[] {
    return this.#database.prepare(
      `SELECT id, ${keyColumn}, will FROM session WHERE will_due_ms <= ? AND id % ? = ?
       ORDER BY will_due_ms LIMIT 200`,
    ).all(nowMs, of, mine).map((row) => ({
      id: number(row["id"]),
      key: keyOf(row),
      will: blob(row["will"]) ?? new Uint8Array(0),
    }));
  }

  /**
   * A shard begins: what its predecessor, or a shard that is no more, was connected to is offline
   * from now on, and may have been sent whatever waits. `first`: of a process, so nobody is
   * connected any more to whom messages that came before were to be sent on. Gives those sessions.
   */
  adopt(shard: number, shards: number, first: boolean, nowMs: number): number[] {
    return this.#database.transaction(() => {
      if (first) this.#database.prepare(restartedSql).run();
      const rows = this.#database.prepare(
        `UPDATE session SET holder = NULL, sent = next, expires_ms = ?1 + expiry_s * 1000,
         will_due_ms = CASE WHEN will IS NOT NULL
           THEN ?1 + MIN(will_delay_s, expiry_s) * 1000 END
         WHERE holder = ?2 OR (?2 = 0 AND holder >= ?3) RETURNING id`,
      ).all(nowMs, shard, shards);
      if (rows.length > 0) this.#database.changed();
      return rows.map(({ id }) => number(id));
    });
  }

  #delete(id: number): void {
    this.#givenUp(this.#queues.forget(id));
    for (const table of ["subscription", "incoming"]) {
      this.#database.prepare(`DELETE FROM ${table} WHERE session = ?`).run(id);
    }
    this.#database.prepare("DELETE FROM session WHERE id = ?").run(id);
  }
}
