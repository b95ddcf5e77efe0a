/**
 * What guards a browser that has the dashboard open.
 *
 * @module
 */
import type { Context, Next } from "hono";
import { Problem } from "./problem.ts";

const headers = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/** Sets the headers that keep other sites out, on every answer. */
export async function securityHeaders(context: Context, next: Next): Promise<void> {
  await next();
  for (const [name, value] of Object.entries(headers)) context.res.headers.set(name, value);
  if (!context.res.headers.has("cache-control")) {
    context.res.headers.set("cache-control", "no-store");
  }
}

/** Refuses changes that a page of another site makes its visitor's browser ask for. */
export async function sameOrigin(context: Context, next: Next): Promise<void> {
  const { method } = context.req;
  if (method !== "GET" && method !== "HEAD" && method !== "OPTIONS") {
    const origin = context.req.header("origin");
    const site = context.req.header("sec-fetch-site");
    const foreign = origin === undefined
      ? site === "cross-site" || site === "same-site"
      : URL.parse(origin)?.host !== context.req.header("host");
    if (foreign) throw new Problem("cross-origin", `not from ${origin ?? "another site"}`);
  }
  await next();
}
