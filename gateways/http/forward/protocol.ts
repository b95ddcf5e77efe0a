/**
 * How a shard passes a request of the control plane on to the main thread, and gets the answer: as
 * messages of a link, so a large answer comes in parts, each asked for when the one before is sent.
 *
 * @module
 */
import type { ActorRef } from "../../../runtime/actor.ts";
import { isFields } from "../../../runtime/fields.ts";
import { isRef } from "../../../runtime/remote_ref.ts";

/** Under which the main thread publishes who answers. */
export const httpName = "http";

/** Bytes of one part: a link's message may have four times as many. */
export const partBytes = 256 * 1024;

/** A request, its body read. */
export interface ForwardedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array;
  /** IP address of who asks. */
  readonly peer: string;
}

export type ForwardQuestion =
  | { readonly kind: "request"; readonly request: ForwardedRequest }
  /** The part of an answer that follows the one before. */
  | { readonly kind: "part"; readonly answer: number };

export interface ForwardAsk {
  readonly question: ForwardQuestion;
  readonly replyTo: ActorRef<ForwardReply>;
}

/** What comes first of an answer. `answer` is there when parts follow, to ask for them. */
export interface ForwardedHead {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array;
  readonly answer: number | null;
}

/** A part is `null` when the main thread does not have it any more. */
export type ForwardReply =
  | { readonly kind: "head"; readonly head: ForwardedHead }
  | { readonly kind: "part"; readonly body: Uint8Array | null; readonly last: boolean };

/** Shards and the main thread are one program: what is checked is the shape. */
function isRequest(value: unknown): value is ForwardedRequest {
  return isFields(value) && typeof value.method === "string" && typeof value.url === "string" &&
    Array.isArray(value.headers) && value.body instanceof Uint8Array &&
    typeof value.peer === "string";
}

function isQuestion(value: unknown): value is ForwardQuestion {
  if (!isFields(value)) return false;
  return value.kind === "request"
    ? isRequest(value.request)
    : value.kind === "part" && typeof value.answer === "number";
}

/** @throws {TypeError} when it is no question. */
export function parseForwardAsk(message: unknown): ForwardAsk {
  if (isFields(message) && isQuestion(message.question) && isRef(message.replyTo)) {
    return { question: message.question, replyTo: message.replyTo };
  }
  throw new TypeError("Cannot read the request of a shard: wrong shape");
}

function isReply(value: unknown): value is ForwardReply {
  if (!isFields(value)) return false;
  if (value.kind === "part") return value.body === null || value.body instanceof Uint8Array;
  const { head } = value;
  return value.kind === "head" && isFields(head) && typeof head.status === "number" &&
    Array.isArray(head.headers) && head.body instanceof Uint8Array;
}

/** @throws {TypeError} when it is no reply. */
export function parseForwardReply(reply: unknown): ForwardReply {
  if (isReply(reply)) return reply;
  throw new TypeError("Cannot read the main thread's answer: wrong shape");
}
