/**
 * `GET /`: the dashboard, a page without anything from elsewhere. Its files are part of the program,
 * also of the compiled one.
 *
 * @module
 */
import page from "./dashboard/index.html" with { type: "text" };
import actors from "./dashboard/actors.js" with { type: "text" };
import ask from "./dashboard/ask.js" with { type: "text" };
import deviceView from "./dashboard/device_view.js" with { type: "text" };
import devices from "./dashboard/devices.js" with { type: "text" };
import dom from "./dashboard/dom.js" with { type: "text" };
import format from "./dashboard/format.js" with { type: "text" };
import hint from "./dashboard/hint.js" with { type: "text" };
import letters from "./dashboard/letters.js" with { type: "text" };
import start from "./dashboard/page.js" with { type: "text" };
import quarantine from "./dashboard/quarantine.js" with { type: "text" };
import status from "./dashboard/status.js" with { type: "text" };
import style from "./dashboard/page.css" with { type: "text" };
import icon from "./dashboard/icon.svg" with { type: "text" };
import type { Handlers } from "./handler.ts";
import type { dashboardOperations } from "./openapi/operations/service.ts";
import { Problem } from "./problem.ts";

const scripts: ReadonlyMap<string, string> = new Map([
  ["actors.js", actors],
  ["ask.js", ask],
  ["device_view.js", deviceView],
  ["devices.js", devices],
  ["dom.js", dom],
  ["format.js", format],
  ["hint.js", hint],
  ["letters.js", letters],
  ["page.js", start],
  ["quarantine.js", quarantine],
  ["status.js", status],
]);

const answer = (text: string, type: string): Response =>
  new Response(text, { headers: { "content-type": type, "cache-control": "no-cache" } });
const file = (text: string, type: string) => (): Response => answer(text, type);

export const dashboardHandlers: Handlers<typeof dashboardOperations> = {
  getDashboard: file(page, "text/html; charset=utf-8"),
  getDashboardScript: ({ req }) => {
    const name = req.param("script") ?? "";
    const script = scripts.get(name);
    if (script !== undefined) return answer(script, "text/javascript; charset=utf-8");
    throw new Problem("not-found", `the dashboard has no ${JSON.stringify(name)}`);
  },
  getDashboardStyle: file(style, "text/css; charset=utf-8"),
  getDashboardIcon: file(icon, "image/svg+xml"),
};
