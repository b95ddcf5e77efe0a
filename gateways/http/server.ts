/**
 * The HTTP listener. Every shard has one on the same port; the kernel divides connections.
 *
 * @module
 */
import type { HttpHandler } from "./app.ts";
import { Problem, problemResponse } from "./problem.ts";
import { secured } from "./security.ts";

const hostForm = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i;

/** Why a request names no place; a Host with a slash would be part of the path it is routed by. */
function targetProblem({ url, headers }: Request): Problem | undefined {
  const host = headers.get("host");
  if ((host === null || hostForm.test(host)) && URL.canParse(url)) return undefined;
  return new Problem("invalid-header", "Host, or the host of the URL, is no host[:port]");
}

/** A listener that takes requests. */
export interface HttpServer {
  readonly hostname: string;
  readonly port: number;
  /**
   * Takes no new connections and waits for the requests under way; those that take longer than
   * `deadlineMs` are answered 503. Tells whether all ended in time.
   */
  close(deadlineMs: number): Promise<boolean>;
}

/**
 * Starts to listen.
 *
 * @throws {Deno.errors.AddrInUse} and others of `Deno.serve`, when the address cannot be had.
 */
export function serveHttp(
  address: { readonly hostname: string; readonly port: number },
  handler: HttpHandler,
  reusePort = false,
): HttpServer {
  const underWay = new Set<(answer: Response) => void>();
  const answer = async (
    request: Request,
    { remoteAddr }: Deno.ServeHandlerInfo<Deno.NetAddr>,
  ): Promise<Response> => {
    const problem = targetProblem(request);
    if (problem !== undefined) {
      await request.body?.cancel();
      return secured(problemResponse(problem));
    }
    const { promise, resolve } = Promise.withResolvers<Response>();
    underWay.add(resolve);
    try {
      return await Promise.race([promise, handler(request, remoteAddr.hostname)]);
    } finally {
      underWay.delete(resolve);
    }
  };
  const server = Deno.serve({ ...address, reusePort, onListen: () => {} }, answer);
  return {
    hostname: server.addr.hostname,
    port: server.addr.port,
    close: async (deadlineMs) => {
      const late = Promise.withResolvers<boolean>();
      const timer = setTimeout(() => {
        const ending = new Problem("not-ready", "the service is shutting down; ask again later");
        for (const resolve of underWay) resolve(secured(problemResponse(ending)));
        late.resolve(false);
      }, deadlineMs);
      const inTime = await Promise.race([server.shutdown().then(() => true), late.promise]);
      clearTimeout(timer);
      return inTime;
    },
  };
}
