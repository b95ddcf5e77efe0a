/**
 * Who may come in: names with their passwords, or with the certificates they have shown, checked
 * against the accounts, and tokens for those who are let in.
 *
 * @module
 */
import type { Clock } from "../../runtime/clock.ts";
import { type Account, adminName, nameProblem, withoutSecret } from "./account.ts";
import type { AccountStore, Instance } from "./account_store.ts";
import { endpointsFor } from "./endpoints.ts";
import { LoginLimits } from "./login_limits.ts";
import { LoginStats } from "./login_stats.ts";
import type { PasswordChecker } from "./password_checker.ts";
import { type Permissions, permissionsOf } from "./permissions.ts";
import { type Claims, signToken, type TokenKey } from "./token.ts";
import { BusyError } from "./turns.ts";

export interface LoginsOptions {
  readonly store: AccountStore;
  readonly clock: Clock;
  readonly passwords: PasswordChecker;
  readonly keys: readonly TokenKey[];
  readonly tokenLifetimeS: number;
  /** Where devices connect when no instance has announced itself. */
  readonly endpoints: readonly string[];
}

/** What came of a name and a proof. Unknown, wrong and disabled are one answer. */
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

/** An instance that was silent for longer is not offered. */
const instanceSilenceMs = 30_000;

/** See the module. */
export class Logins {
  readonly stats = new LoginStats();
  readonly #options: LoginsOptions;
  readonly #store: AccountStore;
  readonly #limits: LoginLimits;

  constructor(options: LoginsOptions) {
    this.#options = options;
    this.#store = options.store;
    this.#limits = new LoginLimits({ clock: options.clock });
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

  /** Lets in who has shown a good certificate for the name. Rejects when the database is away. */
  async certified(name: string): Promise<Authenticated> {
    try {
      const record = nameProblem(name) === undefined ? await this.#store.find(name) : undefined;
      const result: Authenticated = record === undefined || record.disabled
        ? { kind: "wrong" }
        : granted(withoutSecret(record));
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

  async #authenticate(name: string, password: string, address: string): Promise<Authenticated> {
    const attempt = this.#limits.take(name, address);
    if (attempt.kind === "limited") return attempt;
    try {
      // A name that none can have costs as much as one that nobody has.
      const known = nameProblem(name) === undefined;
      const record = await this.#store.find(known ? name : adminName);
      const own = known ? record : undefined;
      const right = await this.#options.passwords.verify(name, password, own?.passwordHash);
      if (!right || own === undefined || own.disabled) return { kind: "wrong" };
      attempt.right();
      return granted(withoutSecret(own));
    } catch (cause) {
      attempt.giveBack();
      throw cause;
    }
  }

  async #endpoints(name: string): Promise<string[]> {
    const { clock, endpoints } = this.#options;
    const announced = await this.#store.instances(clock.now() - instanceSilenceMs);
    const idle = endpoints.map((url): Instance => ({ url, load: 0, seenMs: 0 }));
    return endpointsFor(name, announced.length > 0 ? announced : idle);
  }
}

const granted = (account: Account): Authenticated => ({
  kind: "granted",
  account,
  permissions: permissionsOf(account),
});
