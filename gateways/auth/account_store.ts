/**
 * Where accounts are kept: the seam between the rules and the two databases. Both behave the same,
 * which testing/account_store_cases.ts holds them to.
 *
 * @module
 */
import {
  type AccountLimitsChange,
  changedLimits,
  type LimitedAccount,
} from "../../actors/rates/account_limits.ts";
import type { Account, AccountRecord, AuditAction, AuditEntry, Grants } from "./account.ts";

/** What a change sets; what it does not name stays. */
export interface AccountChange extends Partial<Grants> {
  readonly disabled?: boolean;
  readonly passwordHash?: string;
  /** A change of these alone leaves the version as it is. */
  readonly limits?: AccountLimitsChange;
}

/**
 * What an account is after a change. With its version, what was issued for the one before is worth
 * nothing.
 */
export function changedRecord(
  before: AccountRecord,
  { limits, ...others }: AccountChange,
  atMs: number,
): AccountRecord {
  const onlyLimits = limits !== undefined && Object.keys(others).length === 0;
  return {
    ...before,
    ...others,
    limits: changedLimits(before.limits, limits ?? {}),
    version: onlyLimits ? before.version : before.version + 1,
    changedMs: atMs,
  };
}

/** A change that would leave nobody who may change accounts. Nothing of it was done. */
export class LastAdminError extends Error {
  override readonly name = "LastAdminError";

  constructor(account: string) {
    super(
      `${JSON.stringify(account)} is the last admin who is not disabled; first make another one ` +
        "(add one with the role admin, grant the role, or enable one)",
    );
  }
}

/** Whether one admin less could log in after a change: then another must be there. */
export function losesAdmin(
  before: Pick<Account, "roles" | "disabled">,
  after?: Pick<Account, "roles" | "disabled">,
): boolean {
  const [had, has] = [before, after].map((one) => one?.roles.includes("admin") && !one.disabled);
  return had === true && has !== true;
}

/** Who changes, what it is called, and when. */
export interface Change {
  readonly actor: string;
  readonly action: AuditAction;
  readonly detail: string;
  readonly atMs: number;
}

/** `after` is the last name of the page before. */
export interface AccountQuery {
  readonly limit: number;
  readonly after?: string;
}

/** Newest first; `before` is the last sequence of the page before. */
export interface AuditQuery {
  readonly limit: number;
  readonly before?: number;
}

/** An account and the version it has now. */
export interface AccountVersion {
  readonly name: string;
  readonly version: number;
}

/** Limits as the database has them, which anybody may have written. */
export interface ReadLimits extends LimitedAccount {
  /** What is wrong with those that are none, and do not hold. */
  readonly unread: readonly string[];
}

/** All that happened up to an entry of the audit log. */
export interface Changes {
  readonly sequence: number;
  readonly changed: readonly AccountVersion[];
  /** Accounts that may have other limits than before, with those they have now. */
  readonly limited: readonly ReadLimits[];
}

/** An instance that stations can be sent to. */
export interface Instance {
  /** Where devices connect, such as `mqtts://a.example:8883`. */
  readonly url: string;
  /** Sessions over the sessions it can have: 0 to 1. */
  readonly load: number;
  /** When it last said so, ms since the epoch. */
  readonly seenMs: number;
}

/**
 * Any method rejects when the database is away, with an `AccountsAwayError`; nothing is kept waiting
 * for its return.
 */
export interface AccountStore {
  find(name: string): Promise<AccountRecord | undefined>;
  /** In the order of their names' code units. */
  list(query: AccountQuery): Promise<Account[]>;
  /**
   * Adds with an entry of the audit log, and gives the version: 1, or one more than the last of an
   * account that had this name. `undefined` when the name is taken.
   */
  add(record: AccountRecord, change: Change): Promise<number | undefined>;
  /**
   * Changes, counts the version up and writes the audit log, or nothing of it. Limits alone change
   * nothing of what was issued, so the version stays. Rejects with a {@linkcode LastAdminError}
   * rather than leave nobody who may change accounts, also where two are changed at once.
   */
  change(name: string, set: AccountChange, change: Change): Promise<Account | undefined>;
  /**
   * Deletes; the audit log keeps a version of its own for that. False when there is none. The last
   * admin stays, as with {@linkcode change}.
   */
  remove(name: string, change: Change): Promise<boolean>;
  /** Whether there is any account with this role. */
  hasRole(role: string): Promise<boolean>;
  audit(query: AuditQuery): Promise<AuditEntry[]>;
  /** How many accounts have limits of their own. */
  limitedCount(): Promise<number>;
  /**
   * The names that were changed or deleted, not those that were new, since `sinceMs`; and all limits
   * there are.
   */
  changedSince(sinceMs: number): Promise<Changes>;
  /** The same since an entry of the audit log, with the limits that may have changed. */
  changesAfter(sequence: number): Promise<Changes>;
  announce(instance: Instance): Promise<void>;
  /** Those that were seen since then. */
  instances(sinceMs: number): Promise<Instance[]>;
  close(): Promise<void>;
}
