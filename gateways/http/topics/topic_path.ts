/**
 * The topic that a path under `/api/topics/` names: everything behind it, percent-decoded. A slash
 * divides levels, written as it is or as `%2F`; levels may be empty.
 *
 * @module
 */
import { isTopicFilter, isTopicName } from "../../mqtt/codec/text.ts";
import { isKeepable } from "../../mqtt/pubsub/filter.ts";
import { Problem } from "../problem.ts";

export const topicsPath = "/api/topics/";

const utf8 = new TextEncoder();

const invalid = (detail: string): Problem => new Problem("invalid-topic", detail);

/**
 * The topic, or the filter, of a path.
 *
 * @example
 * ```ts
 * import { topicOf } from "./topic_path.ts";
 * import assert from "node:assert/strict";
 *
 * assert.equal(topicOf("/api/topics/UPB/RPi%201"), "UPB/RPi 1");
 * assert.equal(topicOf("/api/topics//a%2Fb/"), "/a/b/");
 * ```
 * @throws {Problem} `invalid-topic` when it cannot be decoded, or is none.
 */
export function topicOf(pathname: string): string {
  let topic: string;
  try {
    topic = decodeURIComponent(pathname.slice(topicsPath.length));
  } catch {
    throw invalid("the path is not percent-encoded UTF-8");
  }
  if (topic === "") throw invalid("name a topic behind /api/topics/");
  if (/[\0\r\n]/.test(topic)) throw invalid("a topic has no NUL and no line break");
  if (!isKeepable(topic)) throw invalid("a topic here has 1,024 characters and 64 levels at most");
  return topic;
}

/** @throws {Problem} unless it names one topic. */
export function checkName(topic: string): void {
  const bytes = utf8.encode(topic);
  if (!isTopicName(bytes, 0, bytes.length)) {
    throw invalid(
      "+ and # are for following, with Accept: text/event-stream; a topic's name has none",
    );
  }
}

/** @throws {Problem} unless it can be followed. */
export function checkFilter(filter: string): void {
  if (!isTopicFilter(filter)) {
    throw invalid("+ and # stand for whole levels, # for the last ones; write them %2B and %23");
  }
  if (filter.startsWith("$share/")) throw invalid("who follows a topic does not share it");
}
