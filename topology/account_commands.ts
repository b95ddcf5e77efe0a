/**
 * `sluice account …`: changes the accounts where the service keeps them. A service that runs finds
 * out by itself, within a second.
 *
 * @module
 */
import {
  type AccountLimitsChange,
  changedLimits,
  parseLimitsChange,
} from "../actors/rates/account_limits.ts";
import type { Config } from "../config.ts";
import type { AccountCommand } from "../config/account_command.ts";
import { type Account, accountKinds, type Grants, roles } from "../gateways/auth/account.ts";
import { AccountError, Accounts } from "../gateways/auth/accounts.ts";
import { nativeScrypt } from "../gateways/auth/native_scrypt.ts";
import { PasswordHasher } from "../gateways/auth/password.ts";
import { PasswordChecker } from "../gateways/auth/password_checker.ts";
import { oneLine } from "../gateways/log/escape.ts";
import { systemClock } from "../runtime/clock.ts";
import { dataPaths, makeDirectory } from "./data_directory.ts";
import { openAccountStore } from "./account_store.ts";

const pageSize = 1_000;
const auditMax = 100;

/**
 * Runs one command and gives its lines.
 *
 * @param actor who is named in the audit log.
 * @param readPassword reads it from stdin.
 * @throws {AccountError} for what cannot be, and what the database says when it is away.
 */
export async function runAccountCommand(
  command: AccountCommand,
  config: Config,
  actor: string,
  readPassword: () => Promise<string>,
): Promise<string[]> {
  makeDirectory(config.dataDir);
  const store = await openAccountStore(config, dataPaths(config.dataDir).accounts);
  const accounts = new Accounts({
    store,
    clock: systemClock,
    passwords: new PasswordChecker(new PasswordHasher(nativeScrypt)),
  });
  try {
    const password = command.passwordFromStdin ? await readPassword() : undefined;
    return await run(command, accounts, actor, password);
  } finally {
    await store.close();
  }
}

async function run(
  command: AccountCommand,
  accounts: Accounts,
  actor: string,
  password: string | undefined,
): Promise<string[]> {
  const { verb, name, json } = command;
  const shown = (account: Account, secret?: string): string[] => [
    json
      ? JSON.stringify(secret === undefined ? account : { ...account, password: secret })
      : accountLine(account),
    ...(secret === undefined || json ? [] : [`password ${secret}  (told this once)`]),
  ];
  switch (verb) {
    case "add": {
      const kind = accountKinds.find((one) => one === command.accountKind);
      if (kind === undefined) {
        throw new AccountError("invalid", `--kind must be one of ${accountKinds.join(", ")}`);
      }
      const issued = await accounts.add({
        name,
        kind,
        ...grantsOf(command),
        limits: changedLimits({}, limitsOf(command)),
        ...(password === undefined ? {} : { password }),
      }, actor);
      return shown(issued.account, password === undefined ? issued.password : undefined);
    }
    case "grant":
      return shown(await accounts.grant(name, grantsOf(command), actor));
    case "limit":
      return shown(await accounts.limit(name, limitsOf(command), actor));
    case "disable":
      return shown(await accounts.disable(name, actor));
    case "enable":
      return shown(await accounts.enable(name, actor));
    case "rotate": {
      const issued = await accounts.rotate(name, password, actor);
      return shown(issued.account, password === undefined ? issued.password : undefined);
    }
    case "delete":
      await accounts.remove(name, actor);
      return [json ? JSON.stringify({ name, deleted: true }) : `${oneLine(name)}  deleted`];
    case "list":
      return await allAccounts(accounts, (account) => shown(account)[0]!);
    case "audit": {
      const entries = await accounts.audit({ limit: auditMax });
      return entries.map((entry) =>
        json ? JSON.stringify(entry) : [
          new Date(entry.atMs).toISOString(),
          entry.actor,
          entry.action,
          `${entry.target} (version ${entry.version})`,
          entry.detail,
        ].map(oneLine).join("  ").trimEnd()
      );
    }
    default:
      return verb satisfies never;
  }
}

async function allAccounts(accounts: Accounts, line: (account: Account) => string) {
  const lines: string[] = [];
  for (let after = "";;) {
    const page = await accounts.list({ limit: pageSize, after });
    lines.push(...page.map(line));
    const last = page.at(-1);
    if (last === undefined || page.length < pageSize) return lines;
    after = last.name;
  }
}

/** One line for people. */
function accountLine(account: Account): string {
  const parts = [
    account.name,
    account.kind,
    account.disabled ? "disabled" : "enabled",
    ...list("roles", account.roles),
    ...list("read", account.read),
    ...list("write", account.write),
    ...list("devices", account.devices),
    ...Object.entries(account.limits).map(([limit, value]) => `${limit}=${value}`),
  ];
  return parts.map(oneLine).join("  ");
}

const list = (key: string, values: readonly string[]): string[] =>
  values.length === 0 ? [] : [`${key}=${values.join(",")}`];

function limitsOf({ limits = {} }: AccountCommand): AccountLimitsChange {
  const given = Object.entries(limits).map(([name, text]) => [
    name,
    text === "default" ? null : name.endsWith("Max") ? Number(text) : text,
  ]);
  try {
    return parseLimitsChange(Object.fromEntries(given));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new AccountError("invalid", error.message);
  }
}

function grantsOf({ roles: named, read, write, devices }: AccountCommand): Partial<Grants> {
  const held = named?.map((word) => {
    const role = roles.find((one) => one === word);
    if (role === undefined) {
      throw new AccountError("invalid", `--role must be one of ${roles.join(", ")}`);
    }
    return role;
  });
  return {
    ...(held === undefined ? {} : { roles: held }),
    ...(read === undefined ? {} : { read }),
    ...(write === undefined ? {} : { write }),
    ...(devices === undefined ? {} : { devices }),
  };
}
