/**
 * All operations by path and method: what a request asks for, and the answer when nothing is there
 * that it could.
 *
 * @module
 */
import { Problem, problemResponse } from "../problem.ts";
import type { Operation } from "./operation.ts";
import { accountOperations } from "./operations/accounts.ts";
import { banOperations } from "./operations/bans.ts";
import { connectionOperations } from "./operations/connections.ts";
import { historyOperations, readingOperations } from "./operations/readings.ts";
import { dashboardOperations, serviceOperations } from "./operations/service.ts";
import { quarantineOperations } from "./operations/quarantine.ts";
import { topicOperations } from "./operations/topics.ts";

/** What the HTTP edge answers itself: everything that carries readings. */
export const edgeOperations = { ...readingOperations, ...topicOperations, ...connectionOperations };
export type EdgeOperation = keyof typeof edgeOperations;

/** What the main thread answers. */
export const controlOperations = {
  ...serviceOperations,
  ...historyOperations,
  ...accountOperations,
  ...banOperations,
  ...quarantineOperations,
  ...dashboardOperations,
};
export type ControlOperation = keyof typeof controlOperations;

export type OperationId = EdgeOperation | ControlOperation;
export const operations: Readonly<Record<OperationId, Operation>> = {
  ...controlOperations,
  ...edgeOperations,
};

interface Resource {
  readonly path: string;
  /** By method; `HEAD` is that of `GET`. */
  readonly operations: Map<string, OperationId>;
}

/** What a path names. */
export interface Found extends Resource {
  /** The end of the path that stands for the template's parameter, as it came. */
  readonly name: string | undefined;
}

const ids = Object.keys(operations) as OperationId[];
const resources = new Map<string, Resource>();
for (const id of ids) {
  const { path, method } = operations[id];
  const resource = resources.get(path) ?? { path, operations: new Map() };
  resources.set(path, resource);
  resource.operations.set(method, id);
  if (method === "GET") resource.operations.set("HEAD", id);
}
const templates = [...resources.values()].flatMap((resource) => {
  const [, before, after] = /^(.*)\{\w+\}(.*)$/.exec(resource.path) ?? [];
  if (before === undefined || after === undefined) return [];
  const rest = ids.some((id) =>
    operations[id].path === resource.path &&
    operations[id].parameters?.some((parameter) => parameter.rest)
  );
  return [{ resource, before, after, rest }];
});

/** What is at a path, compared as it is written. */
export function findResource(pathname: string): Found | undefined {
  const exact = resources.get(pathname);
  if (exact !== undefined) return { ...exact, name: undefined };
  for (const { resource, before, after, rest } of templates) {
    if (!pathname.startsWith(before) || !pathname.endsWith(after)) continue;
    const name = pathname.slice(before.length, pathname.length - after.length);
    if (name !== "" && (rest || !name.includes("/"))) return { ...resource, name };
  }
  return undefined;
}

/** What a request asks for; `undefined` when nothing is there that it could. */
export function findOperation(
  { method, url }: Request,
): { readonly id: OperationId; readonly name: string | undefined } | undefined {
  const found = findResource(new URL(url).pathname);
  const id = found?.operations.get(method);
  return found === undefined || id === undefined ? undefined : { id, name: found.name };
}

const allowed = ({ operations }: Resource): string => [...operations.keys()].join(", ");

/** The answer where there is no operation: 404, 405, and what OPTIONS tells. */
export function withoutOperation({ method, url }: Request): Response {
  const { pathname } = new URL(url);
  const resource = findResource(pathname);
  if (resource === undefined) {
    const why = findResource(`${pathname}x`) === undefined
      ? "/api/openapi.json lists all there is"
      : "a name is missing at the end; . and .. are none in a URL, nor are %2E and %2E%2E";
    return problemResponse(new Problem("not-found", `nothing at ${pathname}; ${why}`));
  }
  const allow = allowed(resource);
  if (method === "OPTIONS") return new Response(null, { status: 204, headers: { allow } });
  return problemResponse(
    new Problem("method-not-allowed", `${method} is not known here; allowed: ${allow}`, {}, {
      allow,
    }),
  );
}
