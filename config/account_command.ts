/**
 * The words after `sluice account`.
 *
 * @module
 */
import { suggest } from "./suggest.ts";

const verbs = [
  "add",
  "list",
  "grant",
  "limit",
  "disable",
  "enable",
  "rotate",
  "delete",
  "audit",
] as const;
export type AccountVerb = typeof verbs[number];

/** What is asked of the accounts. Which roles and kinds there are, the accounts say. */
export interface AccountCommand {
  readonly verb: AccountVerb;
  /** Empty for `list` and `audit`. */
  readonly name: string;
  readonly accountKind?: string;
  readonly roles?: readonly string[];
  readonly read?: readonly string[];
  readonly write?: readonly string[];
  readonly devices?: readonly string[];
  /** By the limit's name, as it was given; `default`: as for all accounts. */
  readonly limits?: Readonly<Record<string, string>>;
  /** The password is the first line of stdin. */
  readonly passwordFromStdin: boolean;
  readonly json: boolean;
  readonly configFile?: string;
}

export const accountUsage = `Usage: deno task account <command> [flags]

  add NAME --kind device|person|service   make an account; prints its password, this once
  list                                    all accounts
  grant NAME                              set roles and what may be read and written
  limit NAME                              set limits of its own; its sessions go on under them
  disable NAME, enable NAME               its sessions end within a second
  rotate NAME                             a new password; the old one and its tokens end
  delete NAME                             its sessions end; its name may be given again
  audit                                   who did what, newest first

  --role ROLE      admin, operator, reader or device; may be repeated, as those that follow.
                   With grant a list replaces what was there; one empty value makes it empty
  --read FILTER    topic filter that may be read; {name} is the account's name
  --write FILTER   topic filter that may be written
  --device ID      device whose history may be read; * at its end stands for any rest
  --rate RATE      messages, such as 20:1,600:60: 20 in a second and 600 in a minute; "default", of
                   this and those that follow, is what the configuration says for all accounts
  --points RATE    points
  --sessions N     MQTT sessions at once, --subscriptions N, --retained N (messages)
  --password-stdin take the password from the first line of stdin instead of making one
  --json           print JSON, a line for each
  --config FILE    as for the service: where the accounts are

Exit codes: 0 done · 64 not understood, or not allowed: nothing was changed · 69 the database does not
answer · 73 data directory not usable · 78 configuration refused`;

const takesNoName: ReadonlySet<AccountVerb> = new Set(["list", "audit"]);

const lists = {
  "--role": "roles",
  "--read": "read",
  "--write": "write",
  "--device": "devices",
} as const;
const isList = (flag: string): flag is keyof typeof lists => Object.hasOwn(lists, flag);
const limits = {
  "--rate": "messages",
  "--points": "points",
  "--sessions": "sessionsMax",
  "--subscriptions": "subscriptionsMax",
  "--retained": "retainedMax",
} as const;
const isLimit = (flag: string): flag is keyof typeof limits => Object.hasOwn(limits, flag);
const flags = [
  ...Object.keys(lists),
  ...Object.keys(limits),
  "--kind",
  "--password-stdin",
  "--json",
  "--config",
];
const flagsOf: Readonly<Record<AccountVerb, readonly string[]>> = {
  add: flags,
  list: ["--json", "--config"],
  grant: [...Object.keys(lists), "--json", "--config"],
  limit: [...Object.keys(limits), "--json", "--config"],
  disable: ["--json", "--config"],
  enable: ["--json", "--config"],
  rotate: ["--password-stdin", "--json", "--config"],
  delete: ["--json", "--config"],
  audit: ["--json", "--config"],
};

/**
 * Reads what follows `account`; a text is what is wrong with it.
 *
 * @example
 * ```ts
 * import { parseAccountCommand } from "./account_command.ts";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(parseAccountCommand(["add", "UPB/RPi_1", "--kind", "device"]), {
 *   verb: "add",
 *   name: "UPB/RPi_1",
 *   accountKind: "device",
 *   passwordFromStdin: false,
 *   json: false,
 * });
 * assert.equal(parseAccountCommand(["ad"]), "unknown command ad; did you mean add?");
 * ```
 */
export function parseAccountCommand(args: readonly string[]): AccountCommand | string {
  const [word, ...rest] = args;
  if (word === undefined) return "account needs a command";
  const verb = verbs.find((one) => one === word);
  if (verb === undefined) {
    if (word.startsWith("-")) return `account needs a command before ${word}`;
    const near = suggest(word, verbs);
    return `unknown command ${word}${near === undefined ? "" : `; did you mean ${near}?`}`;
  }
  const names: string[] = [];
  const listed: Partial<Record<"roles" | "read" | "write" | "devices", string[]>> = {};
  const limited: Record<string, string> = {};
  let command: AccountCommand = { verb, name: "", passwordFromStdin: false, json: false };
  for (let i = 0; i < rest.length; i++) {
    const arg = rest[i]!;
    if (!arg.startsWith("--")) {
      names.push(arg);
      continue;
    }
    const equals = arg.indexOf("=");
    const flag = equals < 0 ? arg : arg.slice(0, equals);
    if (!flagsOf[verb].includes(flag)) {
      const near = suggest(flag, flagsOf[verb]);
      return `account ${verb} has no ${flag}${near === undefined ? "" : `; did you mean ${near}?`}`;
    }
    if (flag === "--json" || flag === "--password-stdin") {
      if (equals >= 0) return `${flag} takes no value`;
      command = {
        ...command,
        ...(flag === "--json" ? { json: true } : { passwordFromStdin: true }),
      };
      continue;
    }
    const value = equals < 0 ? rest[++i] : arg.slice(equals + 1);
    if (value === undefined) return `${flag} needs a value`;
    if (isList(flag)) {
      const key = lists[flag];
      (listed[key] ??= []).push(...(value === "" ? [] : [value]));
    } else if (isLimit(flag)) limited[limits[flag]] = value;
    else if (flag === "--kind") command = { ...command, accountKind: value };
    else command = { ...command, configFile: value };
  }
  if (!takesNoName.has(verb)) {
    if (names.length !== 1) return `account ${verb} needs one name`;
    command = { ...command, name: names[0]! };
  } else if (names.length > 0) return `account ${verb} takes no name`;
  if (Object.keys(limited).length > 0) command = { ...command, limits: limited };
  else if (verb === "limit") return `account limit needs one of ${Object.keys(limits).join(", ")}`;
  return { ...command, ...listed };
}
