/**
 * Rows of the databases, which are foreign data, as accounts.
 *
 * @module
 */
import { type AccountLimits, readAccountLimits } from "../../actors/rates/account_limits.ts";
import { isFields, isTexts } from "../../runtime/fields.ts";
import {
  type AccountKind,
  accountKinds,
  type AccountRecord,
  type AuditAction,
  auditActions,
  type AuditEntry,
  type Grants,
  type Role,
  roles,
} from "./account.ts";
import type { AccountVersion, Instance, ReadLimits } from "./account_store.ts";

type Row = Readonly<Record<string, unknown>>;

/** Limits that cannot be read keep nobody out. @throws {TypeError} when the row is none. */
export function recordOfRow(row: Row): AccountRecord {
  return {
    name: text(row, "name"),
    kind: kindOf(text(row, "kind")),
    ...grantsOf(text(row, "grants")),
    disabled: number(row, "disabled") !== 0,
    limits: limitsOf(text(row, "limits"), () => {}),
    version: number(row, "version"),
    createdMs: number(row, "created_ms"),
    changedMs: number(row, "changed_ms"),
    passwordHash: text(row, "password_hash"),
  };
}

export function auditOfRow(row: Row): AuditEntry {
  return {
    sequence: number(row, "sequence"),
    atMs: number(row, "at_ms"),
    actor: text(row, "actor"),
    action: actionOf(text(row, "action")),
    target: text(row, "target"),
    version: number(row, "version"),
    detail: text(row, "detail"),
  };
}

export function versionOfRow(row: Row): AccountVersion {
  return { name: text(row, "target"), version: number(row, "version") };
}

/** Of an account that is no more, nothing. */
export function limitsOfRow(row: Row): ReadLimits {
  const name = text(row, "name");
  const { limits } = row;
  if (typeof limits !== "string") return { name, limits: {}, unread: [] };
  const unread: string[] = [];
  return { name, limits: limitsOf(limits, (problem) => unread.push(problem)), unread };
}

function limitsOf(json: string, wrong: (problem: string) => void): AccountLimits {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    value = undefined;
  }
  return readAccountLimits(value, wrong);
}

export function instanceOfRow(row: Row): Instance {
  return { url: text(row, "url"), load: number(row, "load"), seenMs: number(row, "seen_ms") };
}

/** The grants as one column. */
export function grantsText({ roles, read, write, devices }: Grants): string {
  return JSON.stringify({ roles, read, write, devices });
}

function grantsOf(json: string): Grants {
  const value: unknown = JSON.parse(json);
  if (isFields(value)) {
    const { roles, read, write, devices } = value;
    if (isTexts(roles) && isTexts(read) && isTexts(write) && isTexts(devices)) {
      return { roles: roles.map(roleOf), read, write, devices };
    }
  }
  throw new TypeError("Cannot read the grants of an account: wrong shape");
}

function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== "string") throw unreadable(column);
  return value;
}

/** PostgreSQL's bigint comes as text. */
export function number(row: Row, column: string): number {
  const value = Number(row[column] ?? NaN);
  if (!Number.isFinite(value)) throw unreadable(column);
  return value;
}

const unreadable = (column: string): TypeError =>
  new TypeError(`Cannot read column ${column} of the accounts' database`);

function kindOf(word: string): AccountKind {
  const kind = accountKinds.find((one) => one === word);
  if (kind === undefined) throw unreadable("kind");
  return kind;
}

function roleOf(word: string): Role {
  const role = roles.find((one) => one === word);
  if (role === undefined) throw unreadable("grants");
  return role;
}

function actionOf(word: string): AuditAction {
  const action = auditActions.find((one) => one === word);
  if (action === undefined) throw unreadable("action");
  return action;
}
