/**
 * `GET /`: the dashboard, a page without anything from elsewhere. Its files are part of the program,
 * also of the compiled one.
 *
 * @module
 */
import type { Hono } from "hono";
import page from "./dashboard/index.html" with { type: "text" };
import script from "./dashboard/page.js" with { type: "text" };
import style from "./dashboard/page.css" with { type: "text" };
import icon from "./dashboard/icon.svg" with { type: "text" };
import { addResource } from "./resource.ts";

const files = [
  ["/", page, "text/html; charset=utf-8"],
  ["/page.js", script, "text/javascript; charset=utf-8"],
  ["/page.css", style, "text/css; charset=utf-8"],
  ["/icon.svg", icon, "image/svg+xml"],
] as const;

export function addDashboard(app: Hono): void {
  for (const [path, text, type] of files) {
    addResource(app, path, {
      GET: (context) =>
        context.body(text, 200, { "content-type": type, "cache-control": "no-cache" }),
    });
  }
}
