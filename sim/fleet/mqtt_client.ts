/**
 * A device's connection through mqtt.js, which speaks MQTT over TCP, TLS and WebSocket.
 *
 * @module
 */
import mqtt from "mqtt";
import type { FleetOptions } from "./fleet_options.ts";
import type { FleetClient } from "./run_fleet.ts";

const reconnectMs = 1_000;

/** `refused` is told why a connection failed; the client tries again by itself. */
export function connectMqtt(
  options: FleetOptions,
  clientId: string,
  ca: string | undefined,
  refused: (cause: Error) => void,
): FleetClient {
  const client = mqtt.connect(options.url, {
    clientId,
    protocolVersion: options.protocol,
    clean: true,
    reconnectPeriod: reconnectMs,
    resubscribe: false,
    queueQoSZero: false,
    ...(ca !== undefined && { ca }),
  });
  client.on("error", refused);
  return {
    get connected() {
      return client.connected;
    },
    async publish(topic, payload) {
      await client.publishAsync(topic, payload, { qos: options.qos });
    },
    async close() {
      await client.endAsync(!client.connected);
    },
  };
}
