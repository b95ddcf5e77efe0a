/**
 * The HTTP edge as a function from request to answer.
 *
 * @module
 */
import { Hono } from "hono";
import type { Clock } from "../../runtime/clock.ts";
import { AskError } from "../../runtime/ask.ts";
import type { Log } from "../log/log.ts";
import { type AccountsParts, addAccounts } from "./accounts_api.ts";
import { addApi } from "./api.ts";
import type { Control } from "./control.ts";
import { addDashboard } from "./dashboard.ts";
import { metricsText, metricsType, processUse } from "./metrics.ts";
import { Problem, problemResponse } from "./problem.ts";
import { addResource } from "./resource.ts";
import { sameOrigin, securityHeaders } from "./security.ts";

/** What the edge needs besides the control. */
export interface HttpParts {
  readonly clock: Clock;
  readonly log: Log;
  /** Without them there is no `/login`. */
  readonly accounts?: AccountsParts;
  /** Counters of the main thread, by metric name. */
  readonly counters?: () => Readonly<Record<string, number>>;
}

/** Answers one request; `peer` is the IP address of the other end. Never rejects. */
export type HttpHandler = (request: Request, peer?: string) => Promise<Response>;

const retryAfterS = "5";

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
  const { clock, log, accounts } = parts;
  const app = new Hono();
  app.use(securityHeaders, sameOrigin);

  addResource(app, "/healthz", { GET: (context) => context.text("ok\n") });
  addResource(app, "/readyz", {
    GET: async (context) => {
      const reasons = await control.notReady();
      if (reasons.length === 0) return context.text("ready\n");
      throw new Problem("not-ready", reasons.join("; "), { reasons }, {
        "retry-after": retryAfterS,
      });
    },
  });
  addResource(app, "/metrics", {
    GET: async (context) => {
      const text = await metricsText(
        control.service,
        await control.snapshot(),
        processUse(),
        parts.counters?.(),
      );
      return context.body(text, 200, { "content-type": metricsType });
    },
  });
  addApi(app, control, clock);
  if (accounts !== undefined) addAccounts(app, accounts, clock, log);
  addDashboard(app);

  app.notFound((context) => {
    const { pathname } = new URL(context.req.url);
    return problemResponse(
      new Problem("not-found", `nothing at ${pathname}; docs/http.md lists all there is`),
    );
  });
  app.onError((error, context) => {
    if (error instanceof Problem) return problemResponse(error);
    const { pathname } = new URL(context.req.url);
    log.error("a request failed", { method: context.req.method, path: pathname, error });
    return problemResponse(
      error instanceof AskError
        ? new Problem("unavailable", error.message, {}, { "retry-after": retryAfterS })
        : new Problem("internal", "the log has the cause"),
    );
  });
  return async (request, peer = "") => await app.fetch(request, { peer });
}
