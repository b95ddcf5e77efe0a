/**
 * What the main thread, which has the accounts, and the Workers, which have the sessions, say to
 * each other of them; and how both read it.
 *
 * @module
 */
import type { AccountVersion } from "../gateways/auth/account_store.ts";
import { type Role, roles } from "../gateways/auth/account.ts";
import type { Permissions } from "../gateways/auth/permissions.ts";
import type { TokenKey } from "../gateways/auth/token.ts";
import type { ActorRef } from "../runtime/actor.ts";

/** Under which the main thread publishes who checks names and passwords. */
export const accountsName = "accounts";
/** Under which a Worker publishes who wants to know what changes. */
export const accountNewsName = "account_news";

/** A name and a password that a client gave. */
export interface AccountQuestion {
  readonly name: string;
  readonly password: string;
  /** IP address of the client. */
  readonly address: string;
}

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

/** What a Worker must know to let tokens in, or what has become of it. */
export interface AccountNews {
  readonly keys: readonly TokenKey[];
  readonly changed: readonly AccountVersion[];
  /** All that had changed before is known. */
  readonly open: boolean;
}

type Fields = { readonly [key: string]: unknown };
const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null;
const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === "string");
const isRoles = (value: unknown): value is Role[] =>
  isTexts(value) && value.every((item) => roles.some((role) => role === item));

function isReplyRef(value: unknown): value is ActorRef<AccountReply> {
  return isFields(value) && typeof value.tell === "function" && typeof value.path === "string";
}

/** @throws {TypeError} when it is no question. */
export function parseAccountAsk(message: unknown): AccountAsk {
  if (isFields(message) && isFields(message.question) && isReplyRef(message.replyTo)) {
    const { name, password, address } = message.question;
    if (typeof name === "string" && typeof password === "string" && typeof address === "string") {
      return { question: { name, password, address }, replyTo: message.replyTo };
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
      const { roles, read, write, devices } = permissions;
      if (isRoles(roles) && isTexts(read) && isTexts(write) && isTexts(devices)) {
        return { kind, version, permissions: { roles, read, write, devices } };
      }
    }
  }
  throw new TypeError("Cannot read the answer of the accounts: wrong shape");
}

/** @throws {TypeError} when it is no news. */
export function parseAccountNews(message: unknown): AccountNews {
  if (isFields(message)) {
    const { keys, changed, open } = message;
    if (isKeys(keys) && isVersions(changed) && typeof open === "boolean") {
      return { keys, changed, open };
    }
  }
  throw new TypeError("Cannot read the news of the accounts: wrong shape");
}

function isKeys(value: unknown): value is TokenKey[] {
  return Array.isArray(value) &&
    value.every((key: unknown) =>
      isFields(key) && typeof key.kid === "string" && key.secret instanceof Uint8Array
    );
}

function isVersions(value: unknown): value is AccountVersion[] {
  return Array.isArray(value) &&
    value.every((one: unknown) =>
      isFields(one) && typeof one.name === "string" && typeof one.version === "number"
    );
}
