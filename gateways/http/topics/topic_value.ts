/**
 * The value of a topic as an answer: the payload as it is, its media type, and where it is from.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Message } from "../../mqtt/pubsub/message.ts";
import { checkAccept } from "../accept.ts";

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

/** @throws {Problem} `not-acceptable`. */
export function valueResponse({ method, headers }: Request, value: TopicValue): Response {
  const { payload, from, qos, atMs } = value;
  const type = typeOf(value);
  checkAccept(headers.get("accept"), [type]);
  const tag = `"${
    createHash("sha256").update(type).update("\0").update(payload).digest("base64url").slice(0, 22)
  }"`;
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
  if (isKnown(headers, tag, atMs)) return new Response(null, { status: 304, headers: answer });
  answer.set("content-length", String(payload.length));
  return new Response(method === "HEAD" ? null : payload.slice(), { headers: answer });
}

/** As its publisher says, else JSON when it is JSON. */
function typeOf({ payload, contentType }: TopicValue): string {
  if (contentType !== undefined && mediaType.test(contentType)) return contentType;
  try {
    JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
    return "application/json";
  } catch {
    return "application/octet-stream";
  }
}

/** Whether the client has this already (RFC 9110 §13.2.2: the tag decides where there is one). */
function isKnown(headers: Headers, tag: string, atMs: number | undefined): boolean {
  const tags = headers.get("if-none-match");
  if (tags !== null) {
    return tags.split(",").some((one) =>
      /^\s*(\*|W\/".*"|".*")\s*$/.test(one) &&
      (one.trim() === "*" || one.trim().replace(/^W\//, "") === tag)
    );
  }
  const since = Date.parse(headers.get("if-modified-since") ?? "");
  return atMs !== undefined && Math.floor(atMs / 1_000) * 1_000 <= since;
}
