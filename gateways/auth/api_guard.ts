/**
 * Who may do what over HTTP: reads the token of a request, and decides by what an operation asks for.
 *
 * @module
 */
import type { Role } from "./account.ts";
import { sessionCookie } from "./login.ts";
import { mayRead, mayReadDevice, mayWrite, type Permissions } from "./permissions.ts";

/** The token of a request: as bearer, or in the dashboard's cookie. */
export function tokenOf(headers: Headers): string | undefined {
  const bearer = /^Bearer +([\w.-]+) *$/i.exec(headers.get("authorization") ?? "");
  if (bearer !== null) return bearer[1];
  if (headers.has("authorization")) return undefined;
  for (const pair of (headers.get("cookie") ?? "").split(";")) {
    const [name, value] = pair.trim().split("=", 2);
    if (name === sessionCookie && value !== undefined && value !== "") return value;
  }
  return undefined;
}

/** What an operation asks for; gateways/http/openapi/operation.ts says what each means. */
export type Asked =
  | "admin"
  | "operator"
  | "reader"
  | "device"
  | "sender"
  | "topic-read"
  | "topic-write";

/**
 * Whether an account with these permissions may do what is asked.
 *
 * @param name of the device or the topic that it is about, if it is about one.
 */
export function mayUse(permissions: Permissions, asked: Asked, name: string | undefined): boolean {
  const holds = (...roles: readonly Role[]) =>
    roles.some((role) => permissions.roles.includes(role));
  switch (asked) {
    case "admin":
      return holds("admin");
    case "operator":
      return holds("admin", "operator");
    case "reader":
      return holds("admin", "operator", "reader");
    case "device":
      return holds("admin", "operator", "reader") ||
        (name !== undefined && mayReadDevice(permissions, name));
    case "sender":
      return true;
    case "topic-read":
      return holds("admin", "operator", "reader") ||
        (name !== undefined && mayRead(permissions, name));
    case "topic-write":
      return holds("admin", "operator") || (name !== undefined && mayWrite(permissions, name));
    default:
      return asked satisfies never;
  }
}

/**
 * Whether an account may send readings of this topic. Topics that begin with `$` are made by the
 * edges: `$weather/{name}` is for the account of that name, and all are for those who may write
 * everything.
 */
export function maySend({ name, permissions }: Sender, topic: string): boolean {
  if (mayWrite(permissions, topic)) return true;
  return topic.startsWith("$") &&
    (topic === `$weather/${name}` || permissions.write.includes("#"));
}

/** Why a reading is refused that the account may not send. */
export const notPermitted = {
  reason: "not_authorized",
  detail: "the account may not write this topic",
};

/** Who sends. */
export interface Sender {
  readonly name: string;
  readonly permissions: Permissions;
}
