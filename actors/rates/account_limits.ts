/**
 * What one account may send and have that differs from what the others may: kept with the account,
 * and as it crosses Workers and the API.
 *
 * @module
 */
import { messageOf } from "../../runtime/message_of.ts";
import { parseRate } from "./rate_limit.ts";

/** What is absent is as the configuration says for all accounts. */
export interface AccountLimits {
  /** Rates of messages and of points, for {@linkcode parseRate}. */
  readonly messages?: string;
  readonly points?: string;
  readonly sessionsMax?: number;
  readonly subscriptionsMax?: number;
  readonly retainedMax?: number;
}

export type AccountLimitName = keyof AccountLimits;

/** `null`: as for all accounts again; what is absent stays. */
export type AccountLimitsChange = {
  readonly [Name in AccountLimitName]?: AccountLimits[Name] | null;
};

const rateNames = ["messages", "points"] as const;
const countNames = ["sessionsMax", "subscriptionsMax", "retainedMax"] as const;
export const accountLimitNames: readonly AccountLimitName[] = [...rateNames, ...countNames];
export const limitCountMax = 100_000_000;

/** Accounts that may have limits of their own: every Worker knows all of them. */
export const limitedAccountsMax = 10_000;

/**
 * Reads a change, of whatever is named.
 *
 * @throws {RangeError} saying what is wrong, and what is allowed.
 *
 * @example
 * ```ts
 * import { parseLimitsChange } from "./account_limits.ts";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(parseLimitsChange({ messages: "20:1", sessionsMax: null }), {
 *   messages: "20:1",
 *   sessionsMax: null,
 * });
 * assert.throws(() => parseLimitsChange({ sessions: 1 }), /unknown limit "sessions"/);
 * ```
 */
export function parseLimitsChange(value: unknown): AccountLimitsChange {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new RangeError("limits are an object");
  }
  const given: Readonly<Record<string, unknown>> = { ...value };
  const known: readonly string[] = accountLimitNames;
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const allowed = accountLimitNames.join(", ");
    throw new RangeError(`unknown limit ${JSON.stringify(unknown)}; allowed: ${allowed}`);
  }
  const change: { -readonly [Name in AccountLimitName]?: AccountLimits[Name] | null } = {};
  for (const name of rateNames) {
    const text = given[name];
    if (text === undefined) continue;
    if (text !== null && typeof text !== "string") {
      throw new RangeError(`${name} is a rate such as 20:1,600:60`);
    }
    if (text !== null) parseRate(text);
    change[name] = text;
  }
  for (const name of countNames) {
    const count = given[name];
    if (count === undefined) continue;
    if (count !== null && !isCount(count)) {
      throw new RangeError(`${name} is an integer from 1 to ${limitCountMax}`);
    }
    change[name] = count;
  }
  return change;
}

const isCount = (value: unknown): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= limitCountMax;

/** What the limits are after a change. */
export function changedLimits(before: AccountLimits, change: AccountLimitsChange): AccountLimits {
  const entries = Object.entries({ ...before, ...change });
  return Object.fromEntries(entries.filter(([, value]) => value !== null && value !== undefined));
}

/** Reads limits as they are kept. @throws {RangeError} saying what is wrong. */
export const parseAccountLimits = (value: unknown): AccountLimits =>
  changedLimits({}, parseLimitsChange(value));

/**
 * The same of what somebody else may have written: what is wrong in it is told and does not count.
 *
 * @example
 * ```ts
 * import { readAccountLimits } from "./account_limits.ts";
 * import assert from "node:assert/strict";
 *
 * const wrong: string[] = [];
 * const limits = readAccountLimits({ points: "9:1", sessionsMax: 0 }, (text) => wrong.push(text));
 * assert.deepEqual(limits, { points: "9:1" });
 * assert.deepEqual(wrong, ["sessionsMax is an integer from 1 to 100000000"]);
 * ```
 */
export function readAccountLimits(value: unknown, wrong: (text: string) => void): AccountLimits {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  const parts = isObject ? Object.entries(value).map(([name, of]) => ({ [name]: of })) : [value];
  let limits: AccountLimits = {};
  for (const part of parts) {
    try {
      limits = changedLimits(limits, parseLimitsChange(part));
    } catch (cause) {
      wrong(messageOf(cause));
    }
  }
  return limits;
}

export const hasLimits = (limits: AccountLimits): boolean => Object.keys(limits).length > 0;

/** An account, and its limits from now on. */
export interface LimitedAccount {
  readonly name: string;
  readonly limits: AccountLimits;
}

/** The accounts that have limits of their own, as one thread knows them. */
export class OwnLimits {
  readonly #of = new Map<string, AccountLimits>();

  get size(): number {
    return this.#of.size;
  }

  of(account: string): AccountLimits {
    return this.#of.get(account) ?? none;
  }

  /** False: there are as many as may be. */
  set({ name, limits }: LimitedAccount): boolean {
    if (!hasLimits(limits)) this.#of.delete(name);
    else if (!this.#of.has(name) && this.#of.size >= limitedAccountsMax) return false;
    else this.#of.set(name, limits);
    return true;
  }

  *[Symbol.iterator](): Generator<LimitedAccount> {
    for (const [name, limits] of this.#of) yield { name, limits };
  }
}

const none: AccountLimits = {};
