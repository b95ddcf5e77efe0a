/**
 * A topic's messages as the API shows them, and as Server-Sent Events.
 *
 * @module
 */
import type { Message } from "../../mqtt/pubsub/message.ts";
import { payloadJson } from "../views.ts";

type Json = Readonly<Record<string, unknown>>;

/** `atMs` is when it was seen here; of what is retained nobody knows. */
export function messageJson(
  { topic, payload, qos, retain, properties }: Message,
  atMs?: number,
): Json {
  const { contentType, responseTopic, correlationData, userProperties } = properties;
  return {
    topic,
    ...payloadJson(payload),
    qos,
    retain,
    ...(atMs === undefined ? {} : { time: new Date(atMs).toISOString() }),
    ...(contentType === undefined ? {} : { contentType }),
    ...(responseTopic === undefined ? {} : { responseTopic }),
    ...(correlationData === undefined ? {} : { correlationData: correlationData.toBase64() }),
    ...(userProperties === undefined ? {} : { userProperties }),
  };
}

/** One event; with an id it is a place to go on from. */
export function topicEvent(name: string, data: Json, id?: string): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n${
    id === undefined ? "" : `id: ${id}\n`
  }\n`;
}
