/**
 * The HTTP server: Deno's own, which only this process's {@link ./front/front.ts} talks to, over a
 * loopback port.
 *
 * @module
 */
import type { Acceptor } from "../mqtt/endpoint/arrival.ts";
import type { HttpHandler } from "./app.ts";
import { lastAnswer } from "./body.ts";
import { Front, type FrontLimits } from "./front/front.ts";
import type { Visit } from "./front/visit.ts";
import { Problem, problemResponse } from "./problem.ts";
import { secured } from "./security.ts";

const hostForm = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i;

/** Why a request names no place; a Host with a slash would be part of the path it is routed by. */
function targetProblem(
  { url, headers }: Request,
  { isKnownHost }: HttpServerOptions,
): Problem | undefined {
  const host = headers.get("host");
  if ((host !== null && !hostForm.test(host)) || !URL.canParse(url)) {
    return new Problem("invalid-header", "Host, or the host of the URL, is no host[:port]");
  }
  if (isKnownHost?.(host) ?? true) return undefined;
  return new Problem(
    "forbidden",
    `${host} is no name of this service, which asks for no account: come by an address or ` +
      "localhost, or name it in http.hostNames",
  );
}

/** The connection's last answer, if the body was not read to its end. */
function inFull(request: Request, response: Response, visit: Visit): Response {
  if (!request.bodyUsed && request.body !== null) {
    for (const [name, value] of Object.entries(lastAnswer)) response.headers.set(name, value);
  }
  if (response.headers.get("connection") === lastAnswer.connection) visit.lastAnswer();
  return response;
}

/** A listener that takes requests. */
export interface HttpServer {
  /**
   * Takes no new connections and waits for the requests under way; those that take longer than
   * `deadlineMs` are answered 503. Tells whether all ended in time.
   */
  close(deadlineMs: number): Promise<boolean>;
  counters(): Record<string, number>;
  gauges(): Record<string, number>;
}

export interface HttpServerOptions extends FrontLimits {
  readonly acceptFailed: (cause: unknown) => void;
  /** Absent: any `Host` will do. See {@link ./host_names.ts}. */
  readonly isKnownHost?: (host: string | null) => boolean;
}

const loopback = "127.0.0.1";
/** How long the answers to what took too long may take. */
const lastWordsMs = 500;

/** Answers what arrives at the `acceptors`. */
export function serveHttp(
  acceptors: readonly Acceptor[],
  handler: HttpHandler,
  options: HttpServerOptions,
): HttpServer {
  const underWay = new Set<(answer: Response) => void>();
  const answer = async (
    request: Request,
    { remoteAddr, completed }: Deno.ServeHandlerInfo<Deno.NetAddr>,
  ): Promise<Response> => {
    const visit = front.visitFrom(remoteAddr.port);
    // Who found the loopback port by itself is nobody whose address is known.
    if (visit === undefined) {
      const problem = new Problem("forbidden", "come by the address that Sluice listens on");
      return secured(problemResponse(problem));
    }
    visit.began();
    completed.catch(() => {}).finally(() => visit.completed());
    const problem = targetProblem(request, options);
    if (problem !== undefined) return inFull(request, secured(problemResponse(problem)), visit);
    const { promise, resolve } = Promise.withResolvers<Response>();
    underWay.add(resolve);
    try {
      const answered = handler(request, {
        peer: visit.peer,
        secure: visit.secure,
        certificate: visit.certificate,
        entered: visit.entered,
        takeOver: () => visit.takeOver(),
      });
      return inFull(request, await Promise.race([promise, answered]), visit);
    } finally {
      underWay.delete(resolve);
    }
  };
  const server = Deno.serve({ hostname: loopback, port: 0, onListen: () => {} }, answer);
  const { port } = server.addr;
  const dial = async () => {
    const connection = await Deno.connect({ hostname: loopback, port });
    connection.setNoDelay(true);
    return connection;
  };
  const front = new Front({ ...options, acceptors, dial });
  return {
    close: async (deadlineMs) => {
      front.closeDoor();
      const done = server.shutdown().then(() => front.passedOn()).then(() => true);
      const inTime = await orFalse(done, deadlineMs);
      if (!inTime) {
        const ending = new Problem("not-ready", "the service is shutting down; ask again later");
        for (const resolve of underWay) resolve(secured(problemResponse(ending)));
        await orFalse(done, lastWordsMs);
      }
      front.close();
      return inTime;
    },
    counters: () => front.counters(),
    gauges: () => front.gauges(),
  };
}

/** What `done` says, or false when it takes longer. */
async function orFalse(done: Promise<boolean>, ms: number): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => late.resolve(false), ms);
  return await Promise.race([done, late.promise]).finally(() => clearTimeout(timer));
}
