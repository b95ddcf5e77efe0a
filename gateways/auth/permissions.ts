/**
 * What an account may do, compiled: topic filters and device sets with the account's own name put
 * in. Pure, and the same in every transport.
 *
 * @module
 */
import { filterCovers, filterMatches, isFilter } from "../mqtt/topic_filter.ts";
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

/** Why a text cannot be granted as a topic filter; `undefined` when it can. */
export function filterProblem(filter: string): string | undefined {
  const text = filter.replaceAll("{name}", "n");
  const good = filter.length <= 1024 && !/[\p{Cc}{}]/u.test(text) && isFilter(text);
  return good ? undefined : `${JSON.stringify(filter)} is not a topic filter`;
}

/** The same for the id of a device. */
export function devicesProblem(id: string): string | undefined {
  const good = /^[^\p{Cc}*{}]*\*?$/u.test(id.replaceAll("{name}", "n")) && id !== "" &&
    id.length <= 1024;
  return good ? undefined : `${JSON.stringify(id)} is no id of a device; * only at its end`;
}
