/**
 * Accounts in the main thread, the one owner of their database: answers the Workers, finds out what
 * others have changed, and tells the Workers.
 *
 * @module
 */
import { limitedAccountsMax, OwnLimits } from "../actors/rates/account_limits.ts";
import type { Config } from "../config.ts";
import type { AccountStore, Changes } from "../gateways/auth/account_store.ts";
import { Accounts, type Issued } from "../gateways/auth/accounts.ts";
import { Logins } from "../gateways/auth/logins.ts";
import { nativeScrypt } from "../gateways/auth/native_scrypt.ts";
import { PasswordHasher } from "../gateways/auth/password.ts";
import { PasswordChecker } from "../gateways/auth/password_checker.ts";
import { clockToleranceS, type TokenKey } from "../gateways/auth/token.ts";
import { TokenGate } from "../gateways/auth/token_gate.ts";
import { BusyError } from "../gateways/auth/turns.ts";
import { logger } from "../gateways/log/log.ts";
import type { ActorRef, TellResult } from "../runtime/actor.ts";
import { systemClock, type Timer } from "../runtime/clock.ts";
import { messageOf } from "../runtime/message_of.ts";
import type { Link } from "../runtime/remote_link.ts";
import {
  type AccountAsk,
  type AccountNews,
  accountNewsName,
  type AccountReply,
} from "./account_messages.ts";
import { AccountStandings } from "./account_standings.ts";

const log = logger("accounts");

/** How soon a change by another process, or another instance, is known here. */
const pollMs = 400;
const announceMs = 5_000;
/** A message to a Worker holds so many names. */
const newsMax = 500;

export interface ServiceAccountsOptions {
  readonly config: Config;
  /** Closed with these accounts. */
  readonly store: AccountStore;
  /** Where devices connect when nothing else is advertised. */
  readonly endpoints: readonly string[];
  /** The Workers that want to know, by name, as they are now. */
  readonly workers: () => readonly (readonly [string, Link])[];
  /** The first admin was made: its password is told this once. */
  readonly firstAdmin: (issued: Issued) => void;
  /** Sessions of this instance over those it can have. */
  readonly load: () => Promise<number>;
}

/** See the module. */
export class ServiceAccounts implements ActorRef<AccountAsk> {
  readonly path = "accounts";
  readonly accounts: Accounts;
  readonly logins: Logins;
  /** Answers what accounts may do now. */
  readonly standings: AccountStandings;
  readonly gate = new TokenGate();
  readonly #options: ServiceAccountsOptions;
  readonly #store: AccountStore;
  readonly #keys: readonly TokenKey[];
  /** Place in the audit log up to which all changes are known; `undefined` before the first read. */
  #sequence: number | undefined;
  #adminChecked = false;
  #announcedMs = -Infinity;
  /** What accounts have of their own. */
  readonly #limits = new OwnLimits();
  /** Workers that have not been told all. */
  readonly #behind = new Set<string>();
  #polling: Promise<void> | undefined;
  /** Begins after that one, for all who ask meanwhile. */
  #nextPoll: Promise<void> | undefined;
  #timer: Timer | undefined;
  #away = false;
  #stopped = false;

  /** `keys` are those of {@linkcode tokenKeys}. */
  constructor(options: ServiceAccountsOptions, keys: readonly TokenKey[]) {
    const { config, store, endpoints } = options;
    this.#options = options;
    this.#keys = keys;
    this.#store = store;
    this.standings = new AccountStandings(store, (cause) => this.#failed(cause));
    const passwords = new PasswordChecker(new PasswordHasher(nativeScrypt));
    this.accounts = new Accounts({ store, clock: systemClock, passwords });
    this.logins = new Logins({
      store,
      clock: systemClock,
      passwords,
      keys,
      tokenLifetimeS: config.auth.tokenLifetimeS,
      endpoints: config.auth.advertise ?? endpoints,
    });
    this.gate.setKeys(keys);
  }

  /** Reads what there is; a PostgreSQL that is away is tried again for as long as it takes. */
  async start(): Promise<void> {
    await this.poll();
    this.#pollLater();
  }

  /** Why nobody can be let in now; `undefined` when they can. */
  get notReady(): string | undefined {
    return this.gate.open ? undefined : "the accounts' database has not answered yet";
  }

  /** By metric name. */
  counters(): Record<string, number> {
    return { ...this.logins.stats.counters(), ...this.gate.counters() };
  }

  /** A Worker's question. */
  tell({ question, replyTo }: AccountAsk): TellResult {
    this.#answer(question).then((reply) => replyTo.tell(reply)).catch((cause) => {
      log.error("the answer to a login cannot be told", { name: question.name, cause });
      replyTo.tell({ kind: "unavailable" });
    });
    return "accepted";
  }

  /** A Worker has started: it is told everything. */
  started(worker: string): void {
    this.#behind.add(worker);
    this.#tellBehind();
  }

  /** Finds out what has changed now, and not at the next time. */
  poll(): Promise<void> {
    return this.#nextPoll ??= Promise.resolve(this.#polling).then(() => {
      this.#nextPoll = undefined;
      return this.#polling = this.#poll();
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.clear();
    await this.#polling;
    await this.#store.close();
  }

  async #answer(question: AccountAsk["question"]): Promise<AccountReply> {
    const { name, address, proof } = question;
    try {
      const answer = await (proof === "certificate"
        ? this.logins.certified(name)
        : this.logins.authenticate(name, question.password, address));
      if (answer.kind !== "granted") {
        log.warn("a login failed", { name, address, proof, why: answer.kind });
        return { kind: answer.kind };
      }
      const { account, permissions } = answer;
      return { kind: "granted", version: account.version, permissions };
    } catch (cause) {
      if (cause instanceof BusyError) return { kind: "busy" };
      this.#failed(cause);
      return { kind: "unavailable" };
    }
  }

  #pollLater(): void {
    if (this.#stopped) return;
    this.#timer = systemClock.setTimer(pollMs, () => {
      this.poll().then(() => this.#pollLater());
    });
  }

  /** Never rejects. */
  async #poll(): Promise<void> {
    if (this.#stopped) return;
    try {
      if (!this.#adminChecked) await this.#firstStart();
      this.#learn(await this.#changes());
      await this.#announce();
      if (this.#away) log.info("the accounts' database is back");
      this.#away = false;
    } catch (cause) {
      this.#failed(cause);
    }
    this.#tellBehind();
  }

  async #firstStart(): Promise<void> {
    const issued = await this.accounts.ensureAdmin();
    this.#adminChecked = true;
    if (issued !== undefined) this.#options.firstAdmin(issued);
  }

  #changes(): Promise<Changes> {
    if (this.#sequence !== undefined) return this.#store.changesAfter(this.#sequence);
    // A token that was issued before is no longer valid, whatever the account is now.
    const { tokenLifetimeS } = this.#options.config.auth;
    const sinceMs = systemClock.now() - (tokenLifetimeS + 2 * clockToleranceS) * 1000;
    return this.#store.changedSince(sinceMs);
  }

  #learn({ sequence, changed, limited: read }: Changes): void {
    const limited = read.map(({ name, limits, unread }) => {
      for (const problem of unread) {
        log.warn("a limit of an account is not one, so that of all accounts holds; set it again", {
          account: name,
          problem,
        });
      }
      return { name, limits };
    });
    const first = this.#sequence === undefined;
    this.#sequence = sequence;
    this.gate.change(changed);
    const full = limited.filter((one) => !this.#limits.set(one));
    if (full.length > 0) {
      log.error("too many accounts have limits of their own; some are not held to theirs", {
        max: limitedAccountsMax,
        left: full.length,
      });
    }
    if (first) {
      this.gate.setOpen();
      for (const [worker] of this.#options.workers()) this.#behind.add(worker);
    } else if (changed.length + limited.length > 0) {
      for (const [worker, link] of this.#options.workers()) {
        if (!this.#tell(link, { keys: [], changed, limited, open: false }, false)) {
          this.#behind.add(worker);
        }
      }
    }
  }

  /** All that is known, to those that have not heard it. */
  #tellBehind(): void {
    for (const [worker, link] of this.#options.workers()) {
      if (!this.#behind.has(worker)) continue;
      const { open } = this.gate;
      const told = this.#tell(link, {
        keys: this.#keys,
        changed: [...this.gate.changes()],
        limited: [...this.#limits],
        open,
      }, true);
      if (told) this.#behind.delete(worker);
    }
  }

  /**
   * Whether all of it was taken. `open` goes last: nobody is let in on half of the news. `all`:
   * `limited` are all there are.
   */
  #tell(link: Link, { keys, changed, limited, open }: AccountNews, all: boolean): boolean {
    const ref = link.ref<AccountNews>(accountNewsName);
    const count = Math.max(changed.length, limited.length);
    for (let at = 0; at === 0 || at < count; at += newsMax) {
      const last = at + newsMax >= count;
      const news = {
        keys,
        changed: changed.slice(at, at + newsMax),
        limited: limited.slice(at, at + newsMax),
        ...(all && { limitsPage: { first: at === 0, last } }),
        open: open && last,
      };
      if (ref.tell(news) !== "accepted") return false;
    }
    return true;
  }

  async #announce(): Promise<void> {
    const { config, load } = this.#options;
    const { advertise } = config.auth;
    const nowMs = systemClock.monotonic();
    if (advertise === undefined || nowMs - this.#announcedMs < announceMs) return;
    this.#announcedMs = nowMs;
    const now = { load: await load(), seenMs: systemClock.now() };
    for (const url of advertise) await this.#store.announce({ url, ...now });
  }

  #failed(cause: unknown): void {
    if (!this.#away) {
      const why = messageOf(cause);
      log.warn("the accounts' database does not answer; trying again", { why });
    }
    this.#away = true;
  }
}
