/**
 * The bans of the whole service, by name: those that a Worker made, and those made by hand. It is
 * bounded; when it is full the ban that ends first makes room.
 *
 * @module
 */
import { type Ban, type BanClient, banKey, type BanSubject, banSubjects } from "./ban.ts";
import { BanTable } from "./ban_table.ts";
import type { BansMemory } from "./bans.ts";
import { rateKey } from "./rate_key.ts";

const bansMax = 4_096;

export interface BanListOptions {
  readonly memory: Pick<BansMemory, "seed" | "bans">;
  /** Wall time, ms. */
  readonly now: () => number;
  /** The list has changed. */
  readonly changed: () => void;
  /** A ban made room for another one: it holds no more. */
  readonly forgotten: (ban: Ban) => void;
}

/** A ban by hand: whom, for how long and why. */
export interface BanOrder {
  readonly subject: BanSubject;
  readonly client: BanClient;
  readonly forMs: number;
  readonly reason: string;
  readonly by: string;
}

/** See the module. */
export class BanList {
  readonly #options: BanListOptions;
  readonly #table: BanTable;
  readonly #bans = new Map<string, Ban>();

  constructor(options: BanListOptions) {
    this.#options = options;
    this.#table = new BanTable(options.memory.bans);
  }

  /** Those that hold now, the one that ends first at the beginning. */
  get current(): readonly Ban[] {
    const nowMs = this.#options.now();
    for (const [key, { untilMs }] of this.#bans) if (untilMs <= nowMs) this.#bans.delete(key);
    return [...this.#bans.values()].toSorted((a, b) => a.untilMs - b.untilMs);
  }

  /** Bans by hand. @throws {RangeError} when the order names nobody. */
  order({ subject, client, forMs, reason, by }: BanOrder): Ban {
    const key = banKey(subject, client);
    if (key === undefined) throw new RangeError(`Cannot ban: the ${subject} has no name`);
    const sinceMs = this.#options.now();
    const ban = { key, subject, reason, by, sinceMs, untilMs: sinceMs + forMs };
    this.add(ban);
    return ban;
  }

  /** Takes in a ban that was made elsewhere, or before. */
  add(ban: Ban): void {
    const { now, changed, forgotten } = this.#options;
    if (ban.untilMs <= now()) return;
    this.#bans.set(ban.key, ban);
    this.#table.set(this.#keyOf(ban.key), ban.untilMs);
    if (this.#bans.size > bansMax) {
      const [first] = this.current;
      if (first !== undefined && this.#bans.size > bansMax) {
        this.lift(first.key);
        forgotten(first);
      }
    }
    changed();
  }

  /** False when there is none of that key. */
  lift(key: string): boolean {
    if (!this.#bans.delete(key)) return false;
    this.#table.set(this.#keyOf(key), 0);
    this.#options.changed();
    return true;
  }

  #keyOf(key: string): number {
    return rateKey(key, this.#options.memory.seed);
  }
}

/** Reads a ban from another thread or a file. @throws {TypeError} when it is none. */
export function parseBan(value: unknown): Ban {
  if (typeof value === "object" && value !== null) {
    const { key, subject, reason, by, sinceMs, untilMs }: Record<string, unknown> = { ...value };
    const of = banSubjects.find((one) => one === subject);
    if (
      typeof key === "string" && of !== undefined && typeof reason === "string" &&
      typeof sinceMs === "number" && typeof untilMs === "number"
    ) {
      const ban = { key, subject: of, reason, sinceMs, untilMs };
      return typeof by === "string" ? { ...ban, by } : ban;
    }
  }
  throw new TypeError("Cannot read a ban: wrong shape");
}
