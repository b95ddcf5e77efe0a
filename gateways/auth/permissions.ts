/**
 * What an account may do, compiled: topic filters and device sets with the account's own name put
 * in. Pure, and the same in every transport.
 *
 * @module
 */
import type { Account, Grants, Role } from "./account.ts";

/** The grants of an account with its roles and its name worked in. */
export interface Permissions {
  readonly roles: readonly Role[];
  readonly read: readonly string[];
  readonly write: readonly string[];
  readonly devices: readonly string[];
}

type RoleGrants = Pick<Grants, "read" | "write" | "devices">;

/** `#` alone takes no topic that begins with `$`: [MQTT-4.7.2-1]. */
const allTopics = ["#", "$SYS/#"];
const everything: RoleGrants = { read: allTopics, write: ["#"], devices: ["*"] };

/**
 * A device writes the topics of the built-in routes that carry its name: of a station
 * (`UPB/RPi_1` is both), a device by uuid, a vehicle (`fleet/bus_7`).
 */
const roleGrants: Readonly<Record<Role, RoleGrants>> = {
  admin: everything,
  operator: everything,
  reader: { read: allTopics, write: [], devices: ["*"] },
  device: {
    read: ["{name}", "device/{name}", "{name}/position", "command/{name}/#"],
    write: ["{name}", "device/{name}", "{name}/position"],
    devices: ["{name}", "{id}"],
  },
};

/** Filters and ids that one account may list. */
export const grantsMax = 64;

/**
 * Works roles and name in.
 *
 * @example
 * ```ts
 * import { mayWrite, permissionsOf } from "./permissions.ts";
 * import assert from "node:assert/strict";
 *
 * const permissions = permissionsOf({
 *   name: "UPB/RPi_1", roles: ["device"], read: [], write: ["{name}/log/#"], devices: [],
 * });
 * assert.equal(mayWrite(permissions, "UPB/RPi_1"), true);
 * assert.equal(mayWrite(permissions, "UPB/RPi_1/log/boot"), true);
 * assert.equal(mayWrite(permissions, "UPB/RPi_2"), false);
 * ```
 */
export function permissionsOf(account: Grants & Pick<Account, "name">): Permissions {
  const collect = (key: keyof RoleGrants): string[] => {
    const all = [...account.roles.flatMap((role) => roleGrants[role][key]), ...account[key]];
    return [...new Set(all.map((entry) => expand(entry, account.name)))];
  };
  return {
    roles: account.roles,
    read: collect("read"),
    write: collect("write"),
    devices: collect("devices"),
  };
}

/** `{id}` is the name as the built-in routes make a device's id of it: `UPB~RPi_1`. */
const expand = (entry: string, name: string): string =>
  entry.replaceAll("{name}", () => name).replaceAll("{id}", () => name.replaceAll("/", "~"));

export const mayRead = ({ read }: Permissions, topic: string): boolean =>
  read.some((filter) => filterMatches(filter, topic));

export const mayWrite = ({ write }: Permissions, topic: string): boolean =>
  write.some((filter) => filterMatches(filter, topic));

/** Whether every topic that `filter` matches may be read: for SUBSCRIBE. */
export const maySubscribe = ({ read }: Permissions, filter: string): boolean =>
  read.some((granted) => filterCovers(granted, filter));

export const mayReadDevice = ({ devices }: Permissions, id: string): boolean =>
  devices.some((entry) => entry.endsWith("*") ? id.startsWith(entry.slice(0, -1)) : entry === id);

/** Whether a topic name matches a topic filter (MQTT 5 §4.7); `#` and `+` do not match `$…`. */
export function filterMatches(filter: string, topic: string): boolean {
  if (topic.startsWith("$") && !filter.startsWith("$")) return false;
  const wanted = filter.split("/");
  const levels = topic.split("/");
  for (const [i, level] of wanted.entries()) {
    if (level === "#") return true;
    if (i >= levels.length || (level !== "+" && level !== levels[i])) return false;
  }
  return wanted.length === levels.length;
}

/** Whether `granted` matches every topic that `asked` matches. */
export function filterCovers(granted: string, asked: string): boolean {
  if (asked.startsWith("$") && !granted.startsWith("$")) return false;
  const wide = granted.split("/");
  const narrow = asked.split("/");
  for (const [i, level] of wide.entries()) {
    if (level === "#") return true;
    const other = narrow[i];
    if (other === undefined || other === "#") return false;
    if (level !== "+" && level !== other) return false;
  }
  return wide.length === narrow.length;
}

/** Why a text cannot be granted as a topic filter; `undefined` when it can. */
export function filterProblem(filter: string): string | undefined {
  const levels = filter.replaceAll("{name}", "n").split("/");
  const good = filter !== "" && filter.length <= 1024 && !/[\p{Cc}{}]/u.test(levels.join("/")) &&
    levels.every((level, i) =>
      level === "+" || (level === "#" && i === levels.length - 1) || !/[+#]/.test(level)
    );
  return good ? undefined : `${JSON.stringify(filter)} is not a topic filter`;
}

/** The same for the id of a device. */
export function devicesProblem(id: string): string | undefined {
  const good = /^[^\p{Cc}*{}]*\*?$/u.test(id.replaceAll("{name}", "n")) && id !== "" &&
    id.length <= 1024;
  return good ? undefined : `${JSON.stringify(id)} is no id of a device; * only at its end`;
}
