/**
 * `GET /`: the dashboard, a page without anything from elsewhere. Its files are part of the program,
 * also of the compiled one.
 *
 * @module
 */
import page from "./dashboard/index.html" with { type: "text" };
import script from "./dashboard/page.js" with { type: "text" };
import style from "./dashboard/page.css" with { type: "text" };
import icon from "./dashboard/icon.svg" with { type: "text" };
import type { Handlers } from "./handler.ts";
import type { dashboardOperations } from "./openapi/operations/service.ts";

const file = (text: string, type: string) => (): Response =>
  new Response(text, { headers: { "content-type": type, "cache-control": "no-cache" } });

export const dashboardHandlers: Handlers<typeof dashboardOperations> = {
  getDashboard: file(page, "text/html; charset=utf-8"),
  getDashboardScript: file(script, "text/javascript; charset=utf-8"),
  getDashboardStyle: file(style, "text/css; charset=utf-8"),
  getDashboardIcon: file(icon, "image/svg+xml"),
};
