/**
 * The rules of accounts over their database: changes, with their audit log. One thread owns it; the
 * others ask. Who may log in is decided in logins.ts.
 *
 * @module
 */
import {
  type AccountLimits,
  type AccountLimitsChange,
  changedLimits,
  hasLimits,
  limitedAccountsMax,
} from "../../actors/rates/account_limits.ts";
import type { Clock } from "../../runtime/clock.ts";
import {
  type Account,
  type AccountKind,
  type AccountRecord,
  adminName,
  type AuditAction,
  type AuditEntry,
  type Grants,
  nameProblem,
  withoutSecret,
} from "./account.ts";
import {
  type AccountChange,
  type AccountQuery,
  type AccountStore,
  type AuditQuery,
  LastAdminError,
} from "./account_store.ts";
import { generatePassword, passwordProblem } from "./password.ts";
import type { PasswordChecker } from "./password_checker.ts";
import { devicesProblem, filterProblem, grantsMax } from "./permissions.ts";

export interface AccountsOptions {
  readonly store: AccountStore;
  readonly clock: Clock;
  readonly passwords: PasswordChecker;
}

/** What an account is made of. */
export interface NewAccount extends Partial<Grants> {
  readonly name: string;
  readonly kind: AccountKind;
  readonly limits?: AccountLimits;
  /** Generated when absent. */
  readonly password?: string;
}

/** An account with its password, which is told this once. */
export interface Issued {
  readonly account: Account;
  readonly password: string;
}

/** A change that cannot be made; `reason` says what is wrong. */
export class AccountError extends Error {
  override readonly name = "AccountError";

  constructor(
    readonly reason: "invalid" | "exists" | "unknown" | "last_admin",
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

const unknown = (name: string): AccountError =>
  new AccountError("unknown", `there is no account ${JSON.stringify(name)}`);

/** What a store rejected a change with. */
function refused(cause: unknown): never {
  if (!(cause instanceof LastAdminError)) throw cause;
  throw new AccountError("last_admin", cause.message, { cause });
}

const grantsCharsMax = 4_096;

/** See the module. */
export class Accounts {
  readonly #store: AccountStore;
  readonly #clock: Clock;
  readonly #passwords: PasswordChecker;

  constructor({ store, clock, passwords }: AccountsOptions) {
    this.#store = store;
    this.#clock = clock;
    this.#passwords = passwords;
  }

  /** Makes an account; tells its password this once. */
  async add(
    { name, kind, password, limits = {}, ...grants }: NewAccount,
    actor: string,
  ): Promise<Issued> {
    this.#check(nameProblem(name));
    if (password !== undefined) this.#check(passwordProblem(password, name));
    const given: Grants = {
      roles: grants.roles ?? (kind === "device" ? ["device"] : []),
      read: grants.read ?? [],
      write: grants.write ?? [],
      devices: grants.devices ?? [],
    };
    this.#checkGrants(given);
    if (hasLimits(limits)) await this.#checkLimited();
    const secret = password ?? generatePassword();
    const nowMs = this.#clock.now();
    const record: AccountRecord = {
      name,
      kind,
      ...given,
      disabled: false,
      limits,
      version: 1,
      createdMs: nowMs,
      changedMs: nowMs,
      passwordHash: await this.#passwords.hash(secret),
    };
    const detail = JSON.stringify({ kind, ...given, ...(hasLimits(limits) && { limits }) });
    const version = await this.#store.add(record, this.#change(actor, "add", detail));
    if (version === undefined) {
      throw new AccountError("exists", `there is an account ${JSON.stringify(name)}`);
    }
    return { account: { ...withoutSecret(record), version }, password: secret };
  }

  /** The first account of all, when there is no admin: `undefined` when there is one. */
  async ensureAdmin(): Promise<Issued | undefined> {
    if (await this.#store.hasRole("admin")) return undefined;
    try {
      return await this.add({ name: adminName, kind: "person", roles: ["admin"] }, "system");
    } catch (error) {
      // Another instance was quicker, or an account of that name has another role.
      if (error instanceof AccountError && error.reason === "exists") return undefined;
      throw error;
    }
  }

  /** Sets what is named, and keeps the rest. */
  async grant(name: string, grants: Partial<Grants>, actor: string): Promise<Account> {
    this.#checkGrants({ roles: [], read: [], write: [], devices: [], ...grants });
    return await this.#set(name, grants, actor, "grant", JSON.stringify(grants));
  }

  /** Sets limits of its own, and keeps the rest. Its sessions go on, under the new ones. */
  async limit(name: string, change: AccountLimitsChange, actor: string): Promise<Account> {
    const before = (await this.find(name))?.limits;
    if (before === undefined) throw unknown(name);
    if (!hasLimits(before) && hasLimits(changedLimits(before, change))) await this.#checkLimited();
    return await this.#set(name, { limits: change }, actor, "limit", JSON.stringify(change));
  }

  disable(name: string, actor: string): Promise<Account> {
    return this.#set(name, { disabled: true }, actor, "disable", "");
  }

  enable(name: string, actor: string): Promise<Account> {
    return this.#set(name, { disabled: false }, actor, "enable", "");
  }

  /** A new password; the old one, and the tokens it got, are worth nothing from now on. */
  async rotate(name: string, password: string | undefined, actor: string): Promise<Issued> {
    if (password !== undefined) this.#check(passwordProblem(password, name));
    const secret = password ?? generatePassword();
    const passwordHash = await this.#passwords.hash(secret);
    const account = await this.#set(name, { passwordHash }, actor, "rotate", "");
    return { account, password: secret };
  }

  /** Its name may be given again: what the old account had, tokens and sessions, is worth nothing. */
  async remove(name: string, actor: string): Promise<void> {
    const removed = this.#store.remove(name, this.#change(actor, "delete", ""));
    if (!await removed.catch(refused)) throw unknown(name);
  }

  async find(name: string): Promise<Account | undefined> {
    const record = await this.#store.find(name);
    return record && withoutSecret(record);
  }

  list(query: AccountQuery): Promise<Account[]> {
    return this.#store.list(query);
  }

  audit(query: AuditQuery): Promise<AuditEntry[]> {
    return this.#store.audit(query);
  }

  async #set(
    name: string,
    set: AccountChange,
    actor: string,
    action: AuditAction,
    detail: string,
  ): Promise<Account> {
    const changed = this.#store.change(name, set, this.#change(actor, action, detail));
    const account = await changed.catch(refused);
    if (account === undefined) throw unknown(name);
    return account;
  }

  #change(actor: string, action: AuditAction, detail: string) {
    return { actor, action, detail, atMs: this.#clock.now() };
  }

  #check(problem: string | undefined): void {
    if (problem !== undefined) throw new AccountError("invalid", problem);
  }

  async #checkLimited(): Promise<void> {
    if (await this.#store.limitedCount() < limitedAccountsMax) return;
    this.#check(`at most ${limitedAccountsMax} accounts have limits of their own`);
  }

  #checkGrants(grants: Grants): void {
    const filters = [...grants.read, ...grants.write];
    for (const filter of filters) this.#check(filterProblem(filter));
    for (const id of grants.devices) this.#check(devicesProblem(id));
    const all = [...filters, ...grants.devices];
    // They travel in every token.
    if (all.length > grantsMax || all.join("").length > grantsCharsMax) {
      this.#check(`at most ${grantsMax} filters and devices of ${grantsCharsMax} characters`);
    }
  }
}
