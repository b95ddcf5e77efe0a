/**
 * The HTTP edge as a function from request to answer.
 *
 * @module
 */
import { Hono } from "hono";
import type { Clock } from "../../runtime/clock.ts";
import { AskError } from "../../runtime/ask.ts";
import { AccountsAwayError } from "../auth/accounts_away.ts";
import type { Log } from "../log/log.ts";
import { accountHandlers, type AccountsParts } from "./accounts_api.ts";
import { apiHandlers } from "./api.ts";
import { banHandlers, type BansParts } from "./bans_api.ts";
import { type Caller, unknown } from "./callers.ts";
import type { Control } from "./control.ts";
import { dashboardHandlers } from "./dashboard.ts";
import type { Handler } from "./handler.ts";
import { headOf } from "./head.ts";
import type { Operation } from "./openapi/operation.ts";
import {
  type ControlOperation,
  controlOperations,
  findOperation,
  withoutOperation,
} from "./openapi/resources.ts";
import { Problem, problemResponse } from "./problem.ts";
import { quarantineHandlers } from "./quarantine_api.ts";
import { sameOrigin, secured, securityHeaders } from "./security.ts";

/** What the edge needs besides the control. */
export interface HttpParts {
  readonly clock: Clock;
  readonly log: Log;
  /** Without them there is no `/login`. */
  readonly accounts?: AccountsParts;
  /** Without them there is no `/api/bans`. */
  readonly bans?: BansParts;
  /** Counters of the main thread, by metric name. */
  readonly counters?: () => Readonly<Record<string, number>>;
}

/** Answers one request. Never rejects. */
export type HttpHandler = (request: Request, caller?: Caller) => Promise<Response>;

/**
 * Builds the edge.
 *
 * @example
 * ```ts
 * import { httpApp } from "./app.ts";
 * import { fakeControl } from "./testing/fake_control.ts";
 * import { logger } from "../log/log.ts";
 * import { systemClock } from "../../runtime/clock.ts";
 * import assert from "node:assert/strict";
 *
 * const handle = httpApp(fakeControl(), { clock: systemClock, log: logger("http") });
 * const answer = await handle(new Request("http://127.0.0.1/api/devices/c"));
 * assert.equal(answer.status, 200);
 * ```
 */
export function httpApp(control: Control, parts: HttpParts): HttpHandler {
  const { clock, log, accounts, bans } = parts;
  const app = new Hono();
  app.use(securityHeaders, sameOrigin);

  const handlers: Readonly<Partial<Record<ControlOperation, Handler>>> = {
    ...apiHandlers(control, parts),
    ...quarantineHandlers(control, { clock, log, gate: accounts?.gate }),
    ...dashboardHandlers,
    ...(accounts === undefined ? {} : accountHandlers(accounts, clock, log)),
    ...(bans === undefined ? {} : banHandlers(bans, clock)),
  };
  for (const [id, operation] of Object.entries(controlOperations)) {
    const handler = handlers[id as ControlOperation];
    if (handler !== undefined) app.on(operation.method, honoPath(operation), handler);
  }
  app.notFound(() => problemResponse(new Problem("not-found", "it is turned off")));
  app.onError((error, context) => {
    if (error instanceof Problem) return problemResponse(error);
    // Who owns the accounts logs that their database is away, and when it is back.
    if (error instanceof AccountsAwayError) {
      const detail = error.noRoom
        ? "the disk of the accounts' database is full: nothing is changed; make room and try again"
        : "the accounts' database does not answer; try again";
      return problemResponse(new Problem("unavailable", detail, {}, { "retry-after": "5" }));
    }
    const { pathname } = new URL(context.req.url);
    log.error("a request failed", { method: context.req.method, path: pathname, error });
    return problemResponse(
      error instanceof AskError
        ? new Problem("unavailable", error.message)
        : new Problem("internal", "the log has the cause"),
    );
  });
  return async (request, { peer } = unknown) => {
    // Paths are compared as they are written, for who may come in is decided by that; Hono decodes.
    if (findOperation(request) === undefined) return secured(withoutOperation(request));
    if (request.method !== "HEAD") return await app.fetch(request, { peer });
    return await headOf(await app.fetch(new Request(request, { method: "GET" }), { peer }));
  };
}

/** A template as Hono has it. */
function honoPath({ path, parameters = [] }: Operation): string {
  return path.replace(/\{(\w+)\}/, (_, name) => {
    const rest = parameters.some((parameter) => parameter.name === name && parameter.rest);
    // An id may have line separators in it: no dot is one of those.
    return rest ? `:${name}{[^]+}` : `:${name}`;
  });
}
