/**
 * What guards a browser that has the dashboard open.
 *
 * @module
 */
import type { Context, Next } from "hono";
import { Problem } from "./problem.ts";

const policy = "content-security-policy";

const headers = {
  [policy]:
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
  secured(context.res);
}

/** The answer with these headers. */
export function secured(response: Response): Response {
  for (const [name, value] of Object.entries(headers)) {
    // A stricter policy of the resource's own stays.
    if (name !== policy || !response.headers.has(name)) response.headers.set(name, value);
  }
  if (!response.headers.has("cache-control")) response.headers.set("cache-control", "no-store");
  return response;
}

/** Refuses changes that a page of another site makes its visitor's browser ask for. */
export async function sameOrigin(context: Context, next: Next): Promise<void> {
  refuseForeign(context.req.raw);
  await next();
}

/**
 * Refuses a WebSocket that a page of another site opens: it would have the visitor's cookie, and
 * reach what listens on the visitor's machine alone.
 *
 * @throws {Problem} `cross-origin`.
 */
export function refuseForeignPage(headers: Headers): void {
  const origin = headers.get("origin");
  if (origin !== null && URL.parse(origin)?.host !== headers.get("host")) {
    throw new Problem("cross-origin", `not from ${origin}`);
  }
}

/** @throws {Problem} `cross-origin`. */
export function refuseForeign({ method, headers }: Request): void {
  if (method === "GET" || method === "HEAD" || method === "OPTIONS") return;
  const origin = headers.get("origin");
  const site = headers.get("sec-fetch-site");
  const foreign = origin === null
    ? site === "cross-site" || site === "same-site"
    : URL.parse(origin)?.host !== headers.get("host");
  if (foreign) throw new Problem("cross-origin", `not from ${origin ?? "another site"}`);
}
