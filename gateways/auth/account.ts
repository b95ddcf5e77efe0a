/**
 * An account as data: who it is, and what it may do. The rules of names are strict, because a name
 * becomes part of topic filters.
 *
 * @module
 */

import type { AccountLimits } from "../../actors/rates/account_limits.ts";
import { isTexts } from "../../runtime/fields.ts";

export const accountKinds = ["device", "person", "service"] as const;
export type AccountKind = typeof accountKinds[number];

/**
 * `admin`: everything, accounts too. `operator`: reads all, publishes, replays dead letters.
 * `reader`: reads all. `device`: writes its own topics. What an account lists comes on top.
 */
export const roles = ["admin", "operator", "reader", "device"] as const;
export type Role = typeof roles[number];

export const isRoles = (value: unknown): value is Role[] =>
  isTexts(value) && value.every((item) => roles.some((role) => role === item));

/** What may be read and written. `{name}` in an entry stands for the account's name. */
export interface Grants {
  readonly roles: readonly Role[];
  /** Topic filters that may be read. */
  readonly read: readonly string[];
  /** Topic filters that may be written. */
  readonly write: readonly string[];
  /** Ids of devices that may be read over the API; `*` at the end stands for any rest. */
  readonly devices: readonly string[];
}

/** An account without its secret. */
export interface Account extends Grants {
  readonly name: string;
  readonly kind: AccountKind;
  readonly disabled: boolean;
  /** What it may send and have, where that differs from what the others may. */
  readonly limits: AccountLimits;
  /**
   * One more with every change but one of its limits: what was issued for an earlier one no longer counts. 1 when new, but
   * for a name that an account had before: there it goes on from where that one ended.
   */
  readonly version: number;
  /** ms since the epoch. */
  readonly createdMs: number;
  readonly changedMs: number;
}

/** As it is stored. */
export interface AccountRecord extends Account {
  /** Made by password.ts. */
  readonly passwordHash: string;
}

/** One line of the audit log: who did what to whom, and when. */
export interface AuditEntry {
  /** Grows with every entry. */
  readonly sequence: number;
  readonly atMs: number;
  /** Name of an account, `cli:root` (command line), `sql:…` (its role), `system` (first start). */
  readonly actor: string;
  readonly action: AuditAction;
  /** Name and version of the account after it. */
  readonly target: string;
  readonly version: number;
  /** What was set; never a secret. */
  readonly detail: string;
}

export const auditActions = [
  "add",
  "grant",
  "limit",
  "disable",
  "enable",
  "rotate",
  "delete",
] as const;
export type AuditAction = typeof auditActions[number];

/** The account that the first start makes. */
export const adminName = "admin";

export const nameCharsMax = 128;
const nameForm = /^[\p{L}\p{N}._~@:-]+(?:\/[\p{L}\p{N}._~@:-]+)*$/u;

/** Why a text cannot be the name of an account; `undefined` when it can. */
export function nameProblem(name: string): string | undefined {
  if (name.length > nameCharsMax) return `a name has at most ${nameCharsMax} characters`;
  if (!nameForm.test(name) || name !== name.normalize("NFC")) {
    return "a name is made of letters, digits and . _ ~ @ : -, in levels divided by /";
  }
  // `{name}` of such an account would be the topic of a device of another name.
  if (name.startsWith("device/")) return "a name does not begin with device/";
  return undefined;
}

/** Without the secret. */
export function withoutSecret({ passwordHash: _, ...account }: AccountRecord): Account {
  return account;
}
