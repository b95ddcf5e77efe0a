/**
 * Clients of mqtt.js whose sessions outlive their connections.
 *
 * @module
 */
import { connect as open, type IClientOptions, type MqttClient } from "mqtt";
import type { Sluice } from "./sluice.ts";

/** A payload that the default route takes, too. */
export const reading = (n: number): string => JSON.stringify({ n });
export const numberOf = (payload: Uint8Array): number =>
  Number(JSON.parse(new TextDecoder().decode(payload)).n);

export interface KeptClient {
  readonly mqtt: MqttClient;
  /** The numbers of the readings that came. */
  readonly heard: number[];
  /** Whether there was a session. */
  readonly present: boolean;
}

const expiry = { properties: { sessionExpiryInterval: 600 } };

/** Connects once; the options go before those of a session that is kept. */
export async function connect(
  { mqttUrl }: Sluice,
  clientId: string,
  protocolVersion: 4 | 5,
  options: IClientOptions = {},
): Promise<KeptClient> {
  const heard: number[] = [];
  const mqtt = open(mqttUrl, {
    clientId,
    protocolVersion,
    clean: false,
    reconnectPeriod: 0,
    ...(protocolVersion === 5 ? expiry : {}),
    ...options,
  });
  // Before it is connected: what waits comes right behind CONNACK.
  mqtt.on("message", (_topic, payload) => heard.push(numberOf(payload)));
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  mqtt.once("connect", ({ sessionPresent }) => resolve(sessionPresent));
  mqtt.once("error", reject);
  return { mqtt, heard, present: await promise };
}

/** Disconnects. */
export async function end(...clients: readonly { readonly mqtt: MqttClient }[]): Promise<void> {
  for (const { mqtt } of clients) await mqtt.endAsync();
  // mqtt.js closes its stores in timers of 0 ms that nothing waits for.
  await new Promise<void>((resolve) => setTimeout(resolve));
}

/** Keeps what it has not finished, and connects again by itself. */
export function durable(
  { mqttUrl }: Sluice,
  clientId: string,
  protocolVersion: 4 | 5,
): { readonly mqtt: MqttClient; readonly heard: number[] } {
  const heard: number[] = [];
  const mqtt = open(mqttUrl, {
    clientId,
    protocolVersion,
    clean: false,
    reconnectPeriod: 50,
    resubscribe: false,
    ...(protocolVersion === 5 ? expiry : {}),
  });
  mqtt.on("error", () => {});
  mqtt.on("message", (_topic, payload) => heard.push(numberOf(payload)));
  return { mqtt, heard };
}

const acknowledgedWithinMs = 60_000;

/** Publishes until it is acknowledged; rejects when it is not in a minute. */
export async function publishSurely(
  { mqtt }: { readonly mqtt: MqttClient },
  topic: string,
  n: number,
  qos: 1 | 2,
): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const fail = () => reject(new Error(`${topic} ${n} is not acknowledged`));
  const timer = setTimeout(fail, acknowledgedWithinMs);
  try {
    // mqtt.js refuses what is published in the moment it comes back: it never left the client.
    const publish = () =>
      mqtt.publishAsync(topic, reading(n), { qos }).then(() => true, () => false);
    while (!await Promise.race([publish(), late])) {
      await new Promise((done) => setTimeout(done, 10));
    }
  } finally {
    clearTimeout(timer);
  }
}
