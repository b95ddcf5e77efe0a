/**
 * Who may do what over HTTP: reads the token of a request, and decides by method and path.
 *
 * @module
 */
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

/** Whether a path is part of the API. */
export function isApi(pathname: string): boolean {
  return pathname === "/api" || pathname.startsWith("/api/");
}

/** Whether a path is the API's for a router that decodes it, and does not look like it. */
export function isApiInDisguise(pathname: string): boolean {
  return pathname.includes("%") && !isApi(pathname) && isApi(decodedPath(pathname) ?? "/api");
}

/**
 * Whether an account with these permissions may do this under `/api`.
 *
 * - `admin`: everything; accounts and the audit log are nobody else's
 * - `operator`: everything else; `reader`: reads everything else
 * - everybody sends readings: each is held to {@linkcode maySend}
 * - others: their devices (`/api/devices/{id}`, `/api/readings` and `/api/live` with `device`), and
 *   the topics they may read or write
 */
export function mayUseApi(permissions: Permissions, method: string, url: URL): boolean {
  const { pathname, searchParams } = url;
  const held = new Set(permissions.roles);
  if (held.has("admin")) return true;
  if (/^\/api\/(accounts|audit)(\/|$)/.test(pathname)) return false;
  const reads = method === "GET" || method === "HEAD" || method === "OPTIONS";
  if (held.has("operator") || (reads && held.has("reader"))) return true;
  const topic = rest(pathname, "/api/topics/");
  if (topic !== undefined) {
    return reads ? mayRead(permissions, topic) : mayWrite(permissions, topic);
  }
  if (!reads) return method === "POST" && pathname === "/api/readings";
  const device = pathname === "/api/readings" || pathname === "/api/live"
    ? onlyOne(searchParams.getAll("device"))
    : rest(pathname, "/api/devices/");
  return device !== undefined && mayReadDevice(permissions, device);
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

/** Who sends. */
export interface Sender {
  readonly name: string;
  readonly permissions: Permissions;
}

const onlyOne = (values: readonly string[]): string | undefined =>
  values.length === 1 ? values[0] : undefined;

/** What follows `prefix`, decoded; a path that cannot be decoded follows nothing. */
function rest(pathname: string, prefix: string): string | undefined {
  if (!pathname.startsWith(prefix) || pathname.length === prefix.length) return undefined;
  return decodedPath(pathname.slice(prefix.length));
}

function decodedPath(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined; // not UTF-8, so the name of nothing
  }
}
