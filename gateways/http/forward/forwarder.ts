/**
 * A shard's side of {@link ./protocol.ts}: passes requests on to the main thread.
 *
 * @module
 */
import type { Link } from "../../../runtime/remote_link.ts";
import { type BodyLimits, boundedBody } from "../body.ts";
import type { Claims } from "../../auth/token.ts";
import type { Callers } from "../callers.ts";
import { Problem, problemResponse } from "../problem.ts";
import {
  type ForwardAsk,
  type ForwardedHead,
  type ForwardQuestion,
  type ForwardReply,
  httpName,
  parseForwardReply,
} from "./protocol.ts";

/** Largest body that is passed on: nothing of the control plane needs more. */
export const forwardedBytesMax = 64 * 1024;
/** As long as the longest question to a store may take. */
const answerMs = 60_000;

/** Answers by asking the main thread. Never rejects. */
export function forwarder(
  host: Pick<Link, "ask" | "ref">,
  limits: Omit<BodyLimits, "bytesMax">,
  callers: Pick<Callers, "of">,
  passFor?: (claims: Claims) => Promise<string>,
): (request: Request) => Promise<Response> {
  const ask = (question: ForwardQuestion): Promise<ForwardReply> =>
    host.ask(
      host.ref<ForwardAsk>(httpName),
      (replyTo): ForwardAsk => ({ question, replyTo }),
      { deadlineMs: answerMs, parse: parseForwardReply },
    );
  return async (request) => {
    try {
      const body = await boundedBody(request, { ...limits, bytesMax: forwardedBytesMax });
      const { method } = request;
      const { peer, secure, certificate, claims } = callers.of(request);
      const headers = new Headers(request.headers);
      // The main thread knows of no certificates.
      if (certificate !== undefined && claims !== undefined && passFor !== undefined) {
        headers.set("authorization", `Bearer ${await passFor(claims)}`);
      }
      // The server behind the front does not know of TLS.
      const url = secure ? request.url.replace(/^http:/, "https:") : request.url;
      const reply = await ask({
        kind: "request",
        request: { method, url, headers: [...headers], body, peer },
      });
      if (reply.kind !== "head") throw new TypeError("a part came where an answer was asked for");
      return answerOf(reply.head, ask);
    } catch (cause) {
      return problemResponse(
        cause instanceof Problem ? cause : new Problem(
          "unavailable",
          "the main thread does not answer now",
          {},
          { "retry-after": "5" },
        ),
      );
    }
  };
}

function answerOf(
  { status, headers, body, answer }: ForwardedHead,
  ask: (question: ForwardQuestion) => Promise<ForwardReply>,
): Response {
  const init = { status, headers: headers.map(([name, value]): [string, string] => [name, value]) };
  if (answer === null) return new Response(body.length === 0 ? null : body.slice(), init);
  const parts = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(body),
    async pull(controller) {
      const reply = await ask({ kind: "part", answer });
      if (reply.kind !== "part" || reply.body === null) {
        controller.error(new Error("the rest of the answer is not there any more"));
        return;
      }
      controller.enqueue(reply.body);
      if (reply.last) controller.close();
    },
  });
  return new Response(parts, init);
}
