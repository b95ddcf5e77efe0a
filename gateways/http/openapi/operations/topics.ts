/**
 * Operations on topics.
 *
 * @module
 */
import {
  type Answer,
  header,
  integerFrom,
  noContent,
  type Parameter,
  query,
  ref,
  type Schema,
  table,
  text,
} from "../operation.ts";
import { watchCountMax } from "../../topics/watches.ts";
import { contentEncoding, idempotencyKey } from "./readings.ts";

const tag = "topics";
const path = "/api/topics/{topic}";
const topic: Parameter = {
  in: "path",
  name: "topic",
  doc: "Percent-encoded; a slash as it is, or as `%2F`. To follow, a filter with `%2B` and `%23`.",
  schema: text,
  rest: true,
};
const boolean = (value: boolean): Schema => ({ type: "boolean", default: value });

/** Of RFC 9110 §13; to change a value only as long as it is the one that is known. */
const ifMatch = header("If-Match", "Only if the value has one of these `ETag`s; `*`: if any is.");
const conditions: readonly Parameter[] = [
  ifMatch,
  header("If-None-Match", "Only if the value has none of these `ETag`s; `*`: if there is none."),
  header("If-Unmodified-Since", "Only if no later value is known."),
];

const publishing = (retain: boolean): readonly Parameter[] => [
  topic,
  query("qos", "Of the message.", { ...integerFrom(0, 2), default: 1 }),
  query("retain", "Whether the server keeps it for who comes later.", boolean(retain)),
  query("expires", "Seconds after which nobody gets it any more.", integerFrom(1, 0xffff_ffff)),
  query("reading", "`false`: no reading is made of it.", boolean(true)),
  idempotencyKey,
  contentEncoding,
  ...conditions,
];
const body = {
  required: false,
  content: { "*/*": { schema: {}, example: "on" } },
};
const published: readonly Answer[] = [{
  status: 204,
  doc: "It is published, and its reading is settled.",
  headers: {
    "Sluice-Reading": "`settled`, `no-route` or `none`",
    "ETag?": "Of what is retained now; none: nothing is, for want of room or as was asked.",
  },
}];
const problems = [
  "quota-exceeded",
  "invalid-topic",
  "invalid-header",
  "conflict",
  "precondition-failed",
  "rejected-reading",
  "backpressure",
  "rate-limited",
  "not-settled",
  "not-ready",
  "unavailable",
] as const;

/** Topics of MQTT as resources; answered by the HTTP edge. */
export const topicOperations = table({
  getTopic: {
    method: "GET",
    path,
    tag,
    summary: "The value of a topic, its history, or what comes",
    doc: "The value is what is retained, else the last message that was seen, else the last " +
      "values of the topic's device. With `Accept: text/event-stream` the topic is followed.",
    access: "topic-read",
    parameters: [
      topic,
      query("history", "So many of the last messages that were seen.", {
        ...integerFrom(1, watchCountMax),
      }),
      header("Last-Event-ID", "Goes on behind this event."),
      header("If-None-Match", "The `ETag` of the value that is known."),
      header("If-Modified-Since", "The `Last-Modified` of the value that is known."),
      ifMatch,
    ],
    answers: [
      {
        status: 200,
        doc: "The payload in the media type that its publisher gave.",
        content: {
          "application/json": {
            schema: { anyOf: [ref("TopicHistory"), { description: "The value, if it is JSON." }] },
          },
          "text/event-stream": {
            schema: text,
            events: { message: ref("TopicMessage"), ready: {}, gap: ref("TopicGap") },
          },
          "*/*": { schema: {} },
        },
        headers: {
          "ETag?": "Of the value.",
          "Sluice-Value?": "`retained`, `last` or `device`: where the value is from",
          "Sluice-QoS?": "Of the message.",
          "Last-Modified?": "When it was seen.",
        },
      },
      { status: 304, doc: "It is the one that is known." },
    ],
    problems: [
      "invalid-topic",
      "invalid-header",
      "not-found",
      "not-acceptable",
      "precondition-failed",
      "not-ready",
      "unavailable",
    ],
  },
  putTopic: {
    method: "PUT",
    path,
    tag,
    summary: "Publishes and retains a value",
    doc: "It is a reading too when a route takes the topic.",
    access: "topic-write",
    parameters: publishing(true),
    body,
    answers: published,
    problems,
  },
  postTopic: {
    method: "POST",
    path,
    tag,
    summary: "Publishes a message",
    doc: "It is a reading too when a route takes the topic.",
    access: "topic-write",
    parameters: publishing(false),
    body,
    answers: published,
    problems,
  },
  deleteTopic: {
    method: "DELETE",
    path,
    tag,
    summary: "Clears what is retained",
    access: "topic-write",
    parameters: [topic, ...conditions],
    answers: [noContent("Nothing is retained; subscribers were told.")],
    problems: [
      "invalid-topic",
      "invalid-header",
      "precondition-failed",
      "rate-limited",
      "unavailable",
    ],
  },
});
