/**
 * The value of a topic as an answer: the payload as it is, its media type, and where it is from.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Message } from "../../mqtt/pubsub/message.ts";
import { checkAccept } from "../accept.ts";
import { verdictOf } from "../conditions.ts";
import { preconditionFailed } from "../problem.ts";

export interface TopicValue {
  /**
   * `retained`: what is kept for the topic; `last`: the last message that was seen; `device`: the
   * last values of the topic's device, as one JSON object.
   */
  readonly from: "retained" | "last" | "device";
  readonly payload: Uint8Array;
  /** As its publisher said. */
  readonly contentType?: string | undefined;
  readonly qos?: number;
  /** When it was seen, wall time in ms. */
  readonly atMs?: number | undefined;
}

export function valueOf(
  from: "retained" | "last",
  { payload, properties, qos }: Message,
  atMs?: number,
): TopicValue {
  return { from, payload, contentType: properties.contentType, qos, atMs };
}

const mediaType = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:\s*;\s*[\w-]+=(?:[\w.+/-]+|"[\w .+/-]*"))*$/;
/** Whatever a publisher calls it, no browser runs it. */
const policy = "default-src 'none'; sandbox";

/** The `ETag` of a value: another one when the payload or its media type is another. */
export function tagOf(value: Pick<TopicValue, "payload" | "contentType">): string {
  const hash = createHash("sha256").update(typeOf(value)).update("\0").update(value.payload);
  return `"${hash.digest("base64url").slice(0, 22)}"`;
}

/** @throws {Problem} `not-acceptable`, `precondition-failed`, `invalid-header`. */
export function valueResponse(request: Request, value: TopicValue): Response {
  const { payload, from, qos, atMs } = value;
  const type = typeOf(value);
  checkAccept(request.headers.get("accept"), [type]);
  const tag = tagOf(value);
  const answer = new Headers({
    "content-type": type,
    "content-security-policy": policy,
    "cache-control": "no-cache",
    "vary": "accept",
    "etag": tag,
    "sluice-value": from,
  });
  if (qos !== undefined) answer.set("sluice-qos", String(qos));
  if (atMs !== undefined) answer.set("last-modified", new Date(atMs).toUTCString());
  const verdict = verdictOf(request, { tag, atMs });
  if (verdict === "failed") throw preconditionFailed();
  if (verdict === "known") return new Response(null, { status: 304, headers: answer });
  answer.set("content-length", String(payload.length));
  return new Response(request.method === "HEAD" ? null : payload.slice(), { headers: answer });
}

/** As its publisher says, else JSON when it is JSON. */
function typeOf({ payload, contentType }: Pick<TopicValue, "payload" | "contentType">): string {
  if (contentType !== undefined && mediaType.test(contentType)) return contentType;
  try {
    JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
    return "application/json";
  } catch {
    return "application/octet-stream";
  }
}
