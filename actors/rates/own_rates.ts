/**
 * Accounts with rates of their own, in one Worker: those of the configuration, and those that are
 * set while it runs. What each has spent is in one table that all Workers share.
 *
 * @module
 */
import type { AccountLimits } from "./account_limits.ts";
import { parseAccountRate } from "./account_rate.ts";
import { parseRate, type RateLimit, ratePartsMax } from "./rate_limit.ts";
import { rateKey } from "./rate_key.ts";
import { RateTable, rateTableBytes, rateTableMemory } from "./rate_table.ts";

/** Room for the parts of a rate of messages and of one of points. */
const slots = 2 * ratePartsMax;
/** More than accounts may have limits of their own, though not all of them in one place. */
const entries = 16_384;

export const ownRatesBytes = rateTableBytes(slots, entries);
export const ownRatesMemory = (): SharedArrayBuffer => rateTableMemory(slots, entries);

/** Where an account's own rate is counted. */
export interface OwnRate {
  readonly table: RateTable;
  readonly key: number;
}

/** As in the configuration. */
export interface OwnRateSpecs {
  /** Of all accounts: what one has not of its own. */
  readonly account: { readonly messages: string | undefined; readonly points: string | undefined };
  /** For {@linkcode parseAccountRate}. */
  readonly accounts?: readonly string[];
}

const partsOf = (text: string | undefined): readonly RateLimit[] =>
  text === undefined ? [] : parseRate(text);

/** See the module. */
export class OwnRates {
  readonly #memory: SharedArrayBuffer;
  readonly #seed: number;
  readonly #specs: OwnRateSpecs;
  readonly #configured = new Map<string, string>();
  /** By the account's key. */
  readonly #rates = new Map<number, OwnRate>();
  /** Keys of those whose points are counted. */
  readonly #points = new Set<number>();

  constructor(memory: SharedArrayBuffer, seed: number, specs: OwnRateSpecs) {
    this.#memory = memory;
    this.#seed = seed;
    this.#specs = specs;
    for (const text of specs.accounts ?? []) {
      const { account, messages } = parseAccountRate(text);
      this.#configured.set(account, messages);
      this.set(account, {});
    }
  }

  get size(): number {
    return this.#rates.size;
  }

  /** Whether the points of some are counted. */
  get countPoints(): boolean {
    return this.#points.size > 0;
  }

  of(account: number): OwnRate | undefined {
    return this.#rates.get(account);
  }

  /** These are the account's own from now on; of what is absent the configuration's hold. */
  set(name: string, own: Pick<AccountLimits, "messages" | "points">): void {
    const account = rateKey(name, this.#seed);
    const given = own.messages ?? this.#configured.get(name);
    this.#points.delete(account);
    if (given === undefined && own.points === undefined) {
      this.#rates.delete(account);
      return;
    }
    const messages = given ?? this.#specs.account.messages;
    const points = own.points ?? this.#specs.account.points;
    if (points !== undefined) this.#points.add(account);
    this.#rates.set(account, {
      table: new RateTable(this.#memory, partsOf(messages), partsOf(points), slots),
      // What was spent of another rate says nothing of this one: it is counted anew.
      key: rateKey(JSON.stringify([name, messages, points]), this.#seed),
    });
  }
}
