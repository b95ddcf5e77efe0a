/**
 * One resource of the API: its methods, and a proper answer to all others.
 *
 * @module
 */
import type { Context, Hono } from "hono";
import { Problem } from "./problem.ts";

export type Handler = (context: Context) => Response | Promise<Response>;

/** `GET` answers `HEAD` too. */
export interface Methods {
  readonly GET?: Handler;
  readonly POST?: Handler;
  readonly DELETE?: Handler;
}

/**
 * Adds a resource; a method it does not know is 405, and `OPTIONS` tells those it knows. `edge`
 * names those that the HTTP edge answers before a request comes here.
 */
export function addResource(
  app: Hono,
  path: string,
  methods: Methods,
  edge: readonly string[] = [],
): void {
  const names = [...Object.keys(methods), ...edge];
  for (const [method, handler] of Object.entries(methods)) app.on(method, path, handler);
  const allow = names.flatMap((name) => name === "GET" ? ["GET", "HEAD"] : [name]).join(", ");
  app.options(path, () => new Response(null, { status: 204, headers: { allow } }));
  app.all(path, (context) => {
    throw new Problem(
      "method-not-allowed",
      `${context.req.method} is not known here; allowed: ${allow}`,
      {},
      { allow },
    );
  });
}
