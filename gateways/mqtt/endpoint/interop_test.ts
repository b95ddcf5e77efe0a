/** The endpoint against a client of other makers. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { connectAsync, type IClientOptions, type MqttClient } from "mqtt";
import type { ActorRef } from "../../../runtime/actor.ts";
import { ActorSystem } from "../../../runtime/system.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { memoryPubSub } from "../pubsub/testing/memory_pubsub.ts";
import { acceptorOf } from "./arrival.ts";
import { openToAll } from "./endpoint_options.ts";
import { EndpointStats } from "./endpoint_stats.ts";
import { listenerSpec } from "./listener.ts";
import type { Ending, SessionEnd } from "./session_end.ts";
import { FakeIntake, testLimits } from "./testing.ts";

const certificate = {
  cert: Deno.readTextFileSync(new URL("testdata/cert.pem", import.meta.url)),
  key: Deno.readTextFileSync(new URL("testdata/key.pem", import.meta.url)),
};

/** Settles what it takes at once. */
class PromptIntake extends FakeIntake {
  #settled = 0;

  override flush(): boolean {
    queueMicrotask(() => {
      while (this.#settled < this.taken.length) this.settle([this.#settled++]);
    });
    return true;
  }
}

interface Endpoint {
  readonly port: number;
  readonly intake: PromptIntake;
  /** How the next connection ends. */
  readonly ended: Promise<SessionEnd>;
}

async function withEndpoint(
  open: () => Deno.TcpListener | Deno.TlsListener,
  run: (endpoint: Endpoint) => Promise<void>,
): Promise<void> {
  const intake = new PromptIntake();
  const ended = Promise.withResolvers<SessionEnd>();
  const socket = open();
  const system = new ActorSystem();
  const services = {
    intake,
    stats: new EndpointStats(),
    limits: testLimits,
    authenticate: openToAll,
    messages: memoryPubSub(systemClock).pubsub,
    events: {
      ended: (_peer: string, _clientId: string | undefined, { end }: Ending) => ended.resolve(end),
    },
  };
  const listener = system.spawn(listenerSpec("mqtt", services, () => [acceptorOf(socket)]));
  try {
    await run({ port: socket.addr.port, intake, ended: ended.promise });
  } finally {
    const make = (drained: ActorRef<"drained">) => ({ kind: "drain", drained }) as const;
    await system.ask(listener, make, 10_000);
    await system.stop();
  }
}

const plain = (): Deno.TcpListener => Deno.listen({ hostname: "127.0.0.1", port: 0 });
const tls = (): Deno.TlsListener =>
  Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...certificate });

function connect(url: string, options: IClientOptions): Promise<MqttClient> {
  return connectAsync(url, { reconnectPeriod: 0, ...options });
}

/** mqtt.js closes its stores in timers of 0 ms that nothing waits for: they are let through here. */
async function end(client: MqttClient): Promise<void> {
  await client.endAsync();
  await new Promise<void>((resolve) => setTimeout(resolve));
}

for (const protocolVersion of [3, 4, 5] as const) {
  Deno.test(`mqtt.js publishes with MQTT level ${protocolVersion} and every QoS`, () =>
    withEndpoint(plain, async ({ port, intake }) => {
      const client = await connect(`mqtt://127.0.0.1:${port}`, {
        protocolVersion,
        protocolId: protocolVersion === 3 ? "MQIsdp" : "MQTT",
        clientId: "one",
      });
      for (const qos of [0, 1, 2] as const) {
        await client.publishAsync(`device/${qos}`, "x".repeat(1_000 * qos), { qos });
      }
      await end(client);
      assert.deepEqual(
        intake.taken.map(({ topic, payload, flags }) => [topic, payload.length, flags]),
        [["device/0", 0, 0], ["device/1", 1_000, 1], ["device/2", 2_000, 2]],
      );
    }));
}

Deno.test("mqtt.js keeps a thousand messages in flight, and all are acknowledged", () =>
  withEndpoint(plain, async ({ port, intake }) => {
    const client = await connect(`mqtt://127.0.0.1:${port}`, { protocolVersion: 4 });
    const sent = Array.from(
      { length: 1_000 },
      (_, i) => client.publishAsync("device/1", `${i}`, { qos: i % 2 === 0 ? 1 : 2 }),
    );
    await Promise.all(sent);
    await end(client);
    assert.deepEqual(
      intake.taken.map(({ payload }) => Number(payload)),
      sent.map((_, i) => i),
    );
  }));

Deno.test("mqtt.js hears why a reading was not taken", () =>
  withEndpoint(plain, async ({ port, intake }) => {
    const client = await connect(`mqtt://127.0.0.1:${port}`, { protocolVersion: 5, clientId: "" });
    intake.refuse = { outcome: "refused", reason: "bad_topic" };
    await assert.rejects(client.publishAsync("device/1", "{}", { qos: 1 }), /Topic Name invalid/);
    await end(client);
  }));

Deno.test("mqtt.js over TLS, with topic aliases", () =>
  withEndpoint(tls, async ({ port, intake }) => {
    const client = await connect(`mqtts://127.0.0.1:${port}`, {
      protocolVersion: 5,
      ca: certificate.cert,
      autoAssignTopicAlias: true,
    });
    for (let i = 0; i < 3; i++) await client.publishAsync("device/1", `${i}`, { qos: 1 });
    await end(client);
    assert.deepEqual(
      intake.taken.map(({ topic, payload }) => [topic, payload]),
      [["device/1", "0"], ["device/1", "1"], ["device/1", "2"]],
    );
  }));

Deno.test("plain bytes on the TLS port cost their own connection only", () =>
  withEndpoint(tls, async ({ port, intake, ended }) => {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    await connection.write(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
    assert.equal(await ended, "connection_lost");
    connection.close();
    const client = await connect(`mqtts://127.0.0.1:${port}`, { ca: certificate.cert });
    await client.publishAsync("device/1", "1", { qos: 1 });
    await end(client);
    assert.equal(intake.taken.length, 1);
  }));

Deno.test("the will of a mqtt.js client that broke off", () =>
  withEndpoint(plain, async ({ port, intake, ended }) => {
    const client = await connect(`mqtt://127.0.0.1:${port}`, {
      will: { topic: "device/1", payload: Buffer.from("gone"), qos: 1, retain: false },
    });
    client.stream.destroy();
    assert.equal(await ended, "closed");
    assert.deepEqual(intake.taken.map(({ topic, payload }) => [topic, payload]), [
      ["device/1", "gone"],
    ]);
    await end(client);
  }));
