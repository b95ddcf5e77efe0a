/**
 * What a broker holds for its clients: memory of a session with a subscription, and how it comes
 * back with 100,000 retained messages.
 *
 * @module
 */
import type { ServerProcess } from "../gateways/testing/server_process.ts";
import { idleClients, raiseOpenFiles } from "./client_process.ts";
import { pause } from "./pause.ts";
import { rssBytes } from "./process_stat.ts";
import { publishPackets, PubSubClient } from "./pubsub_client.ts";

/** A broker under test. Only its process is measured. */
export interface Broker {
  readonly process: ServerProcess;
  readonly mqttPort: number;
}

/** Sessions that come first and are not counted: code and pools that do not grow with each. */
const first = 1_000;
/** Memory of the handshakes is given back meanwhile. */
const settleMs = 3_000;

/** Resident memory of each of so many silent sessions with a subscription, in bytes. */
export async function sessionBytes(
  { process, mqttPort }: Broker,
  sessions: number,
): Promise<number> {
  await raiseOpenFiles(process.pid);
  await using _first = await idleClients(mqttPort, first, "idle");
  await pause(settleMs);
  const beforeBytes = rssBytes(process.pid);
  await using _others = await idleClients(mqttPort, sessions - first, "idle");
  await pause(settleMs);
  return (rssBytes(process.pid) - beforeBytes) / (sessions - first);
}

export interface RetainedResult {
  /** From the start of the process to the first retained message that it gives out, in s. */
  readonly restartS: number;
  /** Resident memory then. */
  readonly bytes: number;
  /** Retained messages that it no longer has. */
  readonly missing: number;
}

const batch = 500;
const payload = new TextEncoder().encode('{"state":"on","since":1700000000}');

/** Fills it with retained messages, ends it in good order, and starts it again. */
export async function retainedRestart(
  { process, mqttPort }: Broker,
  count: number,
): Promise<RetainedResult> {
  const topic = (i: number) => `kept/${i % 100}/${i}`;
  {
    using publisher = await PubSubClient.connect(mqttPort, "keeper");
    for (let from = 0; from < count; from += batch) {
      const topics = Array.from({ length: batch }, (_, i) => topic(from + i));
      await publisher.send(publishPackets(topics, payload, { qos: 1, retain: true, firstId: 1 }));
      await publisher.until("PUBACKs", () => publisher.acknowledgements === from + batch);
    }
  }
  await process.stop();
  const startMs = performance.now();
  await process.restart();
  await receive(mqttPort, topic(count - 1), 1);
  const restartS = (performance.now() - startMs) / 1_000;
  const bytes = rssBytes(process.pid);
  return { restartS, bytes, missing: count - await receive(mqttPort, "kept/#", count) };
}

/** How many messages come for a filter: `count`, or as many as do within the deadline. */
async function receive(port: number, filter: string, count: number): Promise<number> {
  using client = await PubSubClient.connect(port, "finder");
  await client.subscribe(filter, 0);
  await client.until(`${count} retained messages`, () => client.received >= count);
  return client.received;
}
