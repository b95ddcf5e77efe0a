/**
 * What the main thread, which has the accounts, and the Workers, which have the sessions, say to
 * each other of them; and how both read it.
 *
 * @module
 */
import { type LimitedAccount, parseAccountLimits } from "../actors/rates/account_limits.ts";
import type { AccountVersion } from "../gateways/auth/account_store.ts";
import { isRoles } from "../gateways/auth/account.ts";
import type { AccountQuestion } from "../gateways/auth/mqtt_authenticator.ts";
import type { Permissions } from "../gateways/auth/permissions.ts";
import type { TokenKey } from "../gateways/auth/token.ts";
import type { ActorRef } from "../runtime/actor.ts";
import { isFields, isTexts } from "../runtime/fields.ts";
import { isRef } from "../runtime/remote_ref.ts";

/** Under which the main thread publishes who knows the accounts. */
export const accountsName = "accounts";
/** Under which the main thread publishes who tells what accounts may do now. */
export const standingsName = "account_standings";
/** Under which a Worker publishes who wants to know what changes. */
export const accountNewsName = "account_news";

export interface AccountAsk {
  readonly question: AccountQuestion;
  readonly replyTo: ActorRef<AccountReply>;
}

export type AccountReply =
  | {
    readonly kind: "granted";
    readonly version: number;
    readonly permissions: Permissions;
  }
  /** `busy`: too many are being checked. `unavailable`: the database is away. */
  | { readonly kind: "wrong" | "limited" | "busy" | "unavailable" };

/** What accounts may do now: for those that are kept sessions' and perhaps not connected. */
export interface StandingsAsk {
  readonly names: readonly string[];
  readonly replyTo: ActorRef<StandingsReply>;
}

/** In the order of the names, without those that cannot be read. `undefined`: none can. */
export interface StandingsReply {
  readonly standings: readonly Standing[] | undefined;
}

/** Without permissions the account is deleted or disabled. */
export interface Standing {
  readonly name: string;
  readonly permissions: Permissions | undefined;
}

/** Which part of all limits a page has: the others before it, and behind it, are told with it. */
export interface LimitsPage {
  readonly first: boolean;
  readonly last: boolean;
}

/** What a Worker must know to let tokens in, or what has become of it. */
export interface AccountNews {
  readonly keys: readonly TokenKey[];
  readonly changed: readonly AccountVersion[];
  /** Accounts with the limits that are theirs from now on. */
  readonly limited: readonly LimitedAccount[];
  /** They are a page of all there are, which hold once the last one is there; others have none then. */
  readonly limitsPage?: LimitsPage;
  /** All that had changed before is known. */
  readonly open: boolean;
}

/** @throws {TypeError} when it is no question. */
export function parseAccountAsk(message: unknown): AccountAsk {
  if (isFields(message) && isFields(message.question) && isRef(message.replyTo)) {
    const { name, address, proof, password } = message.question;
    if (typeof name === "string" && typeof address === "string") {
      const { replyTo } = message;
      if (proof === "certificate") return { question: { name, address, proof }, replyTo };
      if (proof === "password" && typeof password === "string") {
        return { question: { name, address, proof, password }, replyTo };
      }
    }
  }
  throw new TypeError("Cannot read the question for an account: wrong shape");
}

/** @throws {TypeError} when it is no reply. */
export function parseAccountReply(message: unknown): AccountReply {
  if (isFields(message)) {
    const { kind, version, permissions } = message;
    if (kind === "wrong" || kind === "limited" || kind === "busy" || kind === "unavailable") {
      return { kind };
    }
    if (kind === "granted" && typeof version === "number" && isFields(permissions)) {
      return { kind, version, permissions: parsePermissions(permissions) };
    }
  }
  throw new TypeError("Cannot read the answer of the accounts: wrong shape");
}

/** @throws {TypeError} when it is none. */
function parsePermissions(value: unknown): Permissions {
  if (isFields(value)) {
    const { roles, read, write, devices } = value;
    if (isRoles(roles) && isTexts(read) && isTexts(write) && isTexts(devices)) {
      return { roles, read, write, devices };
    }
  }
  throw new TypeError("Cannot read the permissions of an account: wrong shape");
}

/** @throws {TypeError} when it is no question. */
export function parseStandingsAsk(message: unknown): StandingsAsk {
  if (isFields(message) && isTexts(message.names) && isRef(message.replyTo)) {
    return { names: message.names, replyTo: message.replyTo };
  }
  throw new TypeError("Cannot read the question for what accounts may do: wrong shape");
}

/** @throws {TypeError} when it is no reply. */
export function parseStandingsReply(message: unknown): StandingsReply {
  if (isFields(message) && message.standings === undefined) return { standings: undefined };
  if (isFields(message) && Array.isArray(message.standings)) {
    return { standings: message.standings.map(parseStanding) };
  }
  throw new TypeError("Cannot read what accounts may do: wrong shape");
}

function parseStanding(value: unknown): Standing {
  if (isFields(value) && typeof value.name === "string") {
    const { name, permissions } = value;
    return {
      name,
      permissions: permissions === undefined ? undefined : parsePermissions(permissions),
    };
  }
  throw new TypeError("Cannot read what an account may do: wrong shape");
}

/** @throws {TypeError} when it is no news. */
export function parseAccountNews(message: unknown): AccountNews {
  if (isFields(message)) {
    const { keys, changed, limited, limitsPage, open } = message;
    if (
      isKeys(keys) && isVersions(changed) && Array.isArray(limited) &&
      (limitsPage === undefined || isPage(limitsPage)) && typeof open === "boolean"
    ) {
      const page = limitsPage && { limitsPage };
      return { keys, changed, limited: limited.map(parseLimited), ...page, open };
    }
  }
  throw new TypeError("Cannot read the news of the accounts: wrong shape");
}

function parseLimited(value: unknown): LimitedAccount {
  if (isFields(value) && typeof value.name === "string") {
    return { name: value.name, limits: parseAccountLimits(value.limits) };
  }
  throw new TypeError("Cannot read the limits of an account: wrong shape");
}

function isKeys(value: unknown): value is TokenKey[] {
  return Array.isArray(value) &&
    value.every((key: unknown) =>
      isFields(key) && typeof key.kid === "string" && key.secret instanceof Uint8Array
    );
}

const isPage = (value: unknown): value is LimitsPage =>
  isFields(value) && typeof value.first === "boolean" && typeof value.last === "boolean";

function isVersions(value: unknown): value is AccountVersion[] {
  return Array.isArray(value) &&
    value.every((one: unknown) =>
      isFields(one) && typeof one.name === "string" && typeof one.version === "number"
    );
}
