/**
 * A server on a free port of the loopback interface, for tests.
 *
 * @module
 */
import { systemClock } from "../../../runtime/clock.ts";
import { acceptorOf } from "../../mqtt/endpoint/arrival.ts";
import { BufferBudget } from "../../mqtt/endpoint/read_buffer.ts";
import type { HttpHandler } from "../app.ts";
import type { FrontLimits } from "../front/front.ts";
import { type HttpServer, serveHttp } from "../server.ts";

export function listenHttp(
  handler: HttpHandler,
  limits: Partial<FrontLimits> = {},
): HttpServer & { readonly port: number } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const server = serveHttp([acceptorOf(listener)], handler, {
    clock: systemClock,
    budget: new BufferBudget(1024 * 1024),
    headTimeoutMs: 60_000,
    idleTimeoutMs: 60_000,
    connectionsMax: 100,
    acceptFailed: (cause) => {
      throw cause;
    },
    ...limits,
  });
  return { ...server, port: listener.addr.port };
}
