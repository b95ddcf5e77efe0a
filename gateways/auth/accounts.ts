/**
 * The rules of accounts over their database: login, and changes with their audit log. One thread
 * owns it; the others ask.
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
  type Instance,
  LastAdminError,
} from "./account_store.ts";
import { endpointsFor } from "./endpoints.ts";
import { LoginLimits } from "./login_limits.ts";
import { LoginStats } from "./login_stats.ts";
import {
  generatePassword,
  passwordBytesMax,
  type PasswordHasher,
  passwordProblem,
} from "./password.ts";
import {
  devicesProblem,
  filterProblem,
  grantsMax,
  type Permissions,
  permissionsOf,
} from "./permissions.ts";
import { type Claims, signToken, type TokenKey } from "./token.ts";
import { BusyError, Turns } from "./turns.ts";
import { VerifiedPasswords } from "./verified_passwords.ts";

export interface AccountsOptions {
  readonly store: AccountStore;
  readonly clock: Clock;
  readonly keys: readonly TokenKey[];
  readonly tokenLifetimeS: number;
  /** Where devices connect when no instance has announced itself. */
  readonly endpoints: readonly string[];
  readonly hasher: PasswordHasher;
  /** Passwords that are hashed at once, and that wait for it; beyond that they are refused. */
  readonly hashing?: { readonly atOnceMax: number; readonly waitingMax: number };
  readonly limits?: LoginLimits;
}

/** What came of a name and a password. Unknown, wrong and disabled are one answer. */
export type Authenticated =
  | { readonly kind: "granted"; readonly account: Account; readonly permissions: Permissions }
  | { readonly kind: "wrong" }
  | { readonly kind: "limited"; readonly retryAfterS: number };

export type LoggedIn =
  | {
    readonly kind: "granted";
    readonly token: string;
    readonly claims: Claims;
    /** Best first. */
    readonly endpoints: readonly string[];
  }
  | Exclude<Authenticated, { kind: "granted" }>;

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

/** An instance that was silent for longer is not offered. */
export const instanceSilenceMs = 30_000;
const verifiedMax = 100_000;
const hashingDefault = { atOnceMax: navigator.hardwareConcurrency, waitingMax: 1_000 };
const grantsCharsMax = 4_096;
export const adminName = "admin";

/** See the module. */
export class Accounts {
  readonly stats = new LoginStats();
  readonly #options: AccountsOptions;
  readonly #store: AccountStore;
  readonly #hasher: PasswordHasher;
  readonly #limits: LoginLimits;
  readonly #turns: Turns;
  readonly #verified = new VerifiedPasswords(verifiedMax);

  constructor(options: AccountsOptions) {
    this.#options = options;
    this.#store = options.store;
    this.#hasher = options.hasher;
    const { atOnceMax, waitingMax } = options.hashing ?? hashingDefault;
    this.#turns = new Turns(atOnceMax, waitingMax);
    this.#limits = options.limits ?? new LoginLimits({ clock: options.clock });
  }

  get store(): AccountStore {
    return this.#store;
  }

  /**
   * Checks a name and a password. Rejects with a `BusyError` when too many are being checked, and
   * with the database's error when it is away.
   */
  async authenticate(name: string, password: string, address: string): Promise<Authenticated> {
    try {
      const result = await this.#authenticate(name, password, address);
      this.stats.login(result.kind);
      return result;
    } catch (cause) {
      this.stats.login(cause instanceof BusyError ? "busy" : "unavailable");
      throw cause;
    }
  }

  async #authenticate(name: string, password: string, address: string): Promise<Authenticated> {
    const attempt = this.#limits.take(name, address);
    if (attempt.kind === "limited") return attempt;
    try {
      // A name that none can have costs as much as one that nobody has.
      const known = nameProblem(name) === undefined;
      const record = await this.#store.find(known ? name : adminName);
      const own = known ? record : undefined;
      const right = await this.#verify(name, password, own?.passwordHash);
      if (!right || own === undefined || own.disabled) return { kind: "wrong" };
      attempt.right();
      const account = withoutSecret(own);
      return { kind: "granted", account, permissions: permissionsOf(account) };
    } catch (cause) {
      attempt.giveBack();
      throw cause;
    }
  }

  /** Lets in who has shown a good certificate for the name. Rejects when the database is away. */
  async certified(name: string): Promise<Authenticated> {
    try {
      const account = nameProblem(name) === undefined ? await this.find(name) : undefined;
      const result: Authenticated = account === undefined || account.disabled
        ? { kind: "wrong" }
        : { kind: "granted", account, permissions: permissionsOf(account) };
      this.stats.login(result.kind);
      return result;
    } catch (cause) {
      this.stats.login("unavailable");
      throw cause;
    }
  }

  /** A login for a token and the places to connect to. */
  async login(name: string, password: string, address: string): Promise<LoggedIn> {
    const found = await this.authenticate(name, password, address);
    if (found.kind !== "granted") return found;
    const { account, permissions } = found;
    const { clock, keys, tokenLifetimeS } = this.#options;
    const issuedS = Math.floor(clock.now() / 1000);
    const claims: Claims = {
      name: account.name,
      version: account.version,
      issuedS,
      expiresS: issuedS + tokenLifetimeS,
      permissions,
    };
    const [token, endpoints] = await Promise.all([
      signToken(claims, keys),
      this.#endpoints(account.name),
    ]);
    this.stats.issued();
    return { kind: "granted", token, claims, endpoints };
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
    const nowMs = this.#options.clock.now();
    const record: AccountRecord = {
      name,
      kind,
      ...given,
      disabled: false,
      limits,
      version: 1,
      createdMs: nowMs,
      changedMs: nowMs,
      passwordHash: await this.#turns.run(() => this.#hasher.hash(secret)),
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
    const passwordHash = await this.#turns.run(() => this.#hasher.hash(secret));
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

  async #verify(name: string, password: string, hash: string | undefined): Promise<boolean> {
    const fits = new TextEncoder().encode(password).length <= passwordBytesMax;
    const tried = fits ? password : "";
    if (hash !== undefined && this.#verified.has(name, tried, hash)) return true;
    const right = await this.#turns.run(() => this.#hasher.verify(tried, hash)) && fits;
    if (right && hash !== undefined) this.#verified.add(name, tried, hash);
    return right;
  }

  async #endpoints(name: string): Promise<string[]> {
    const sinceMs = this.#options.clock.now() - instanceSilenceMs;
    const announced = await this.#store.instances(sinceMs);
    const idle = this.#options.endpoints.map((url): Instance => ({ url, load: 0, seenMs: 0 }));
    return endpointsFor(name, announced.length > 0 ? announced : idle);
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
    return { actor, action, detail, atMs: this.#options.clock.now() };
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
