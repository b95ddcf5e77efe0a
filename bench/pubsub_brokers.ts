/**
 * Sluice and Mosquitto as publish and subscribe are measured: nothing else is done with a message.
 *
 * @module
 */
import { startMosquitto } from "../gateways/testing/servers.ts";
import { type Sluice, startSluice } from "../tests/support/sluice.ts";
import type { Broker } from "./pubsub_state.ts";

/** Nothing is stored: topics have no route, so this is the way of a message alone. */
const config = {
  shards: 2,
  routes: [],
  builtinRoutes: { station: false, device: false, weather: false, line: false, position: false },
};
const mosquittoConfig = [
  "log_type none",
  "set_tcp_nodelay true",
  "max_inflight_messages 1000", // As many as Sluice has on their way to a client.
];

export interface Brokers extends AsyncDisposable {
  /** Sluice. */
  readonly own: Broker;
  /** Mosquitto. */
  readonly other: Broker;
}

/** Sluice, for a scope, with `more` in its configuration. */
export function startOwn(more: Readonly<Record<string, unknown>> = {}): Promise<Sluice> {
  return startSluice({ config: { ...config, ...more } });
}

/** Both, for a scope; `extra` are further lines of Mosquitto's configuration. */
export async function startBoth(extra: readonly string[] = []): Promise<Brokers> {
  const mosquitto = await startMosquitto([...mosquittoConfig, ...extra]);
  const sluice = await startOwn().catch(async (cause) => {
    await mosquitto[Symbol.asyncDispose]();
    throw cause;
  });
  return {
    own: sluice,
    other: { process: mosquitto, mqttPort: mosquitto.port },
    async [Symbol.asyncDispose]() {
      await sluice[Symbol.asyncDispose]();
      await mosquitto[Symbol.asyncDispose]();
    },
  };
}
