import assert from "node:assert/strict";
import type { ActorRef } from "../../../runtime/actor.ts";
import { ManualClock } from "../../../runtime/clock.ts";
import { ActorSystem } from "../../../runtime/system.ts";
import { reasonCodes } from "../codec/reason_code.ts";
import { encodePacket, type Packet } from "../codec/packet.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { memoryPubSub } from "../pubsub/testing/memory_pubsub.ts";
import {
  type Door,
  type EndpointLimits,
  type EndpointServices,
  openToAll,
} from "./endpoint_options.ts";
import { EndpointStats } from "./endpoint_stats.ts";
import { type Acceptor, acceptorOf } from "./arrival.ts";
import { type ListenerMessage, listenerSpec } from "./listener.ts";
import { connectOf, FakeIntake, publishOf, settle, testLimits } from "./testing.ts";

interface Endpoint {
  readonly port: number;
  readonly intake: FakeIntake;
  readonly stats: EndpointStats;
  readonly listener: ActorRef<ListenerMessage>;
  readonly system: ActorSystem;
}

function startEndpoint(
  open: () => Deno.TcpListener | Deno.TlsListener,
  limits: Partial<EndpointLimits> = {},
  door?: Door,
): Endpoint {
  const intake = new FakeIntake();
  const stats = new EndpointStats();
  const services: EndpointServices = {
    intake,
    limits: { ...testLimits, ...limits },
    authenticate: openToAll,
    messages: memoryPubSub(systemClock).pubsub,
    stats,
    events: {},
    ...(door === undefined ? {} : { door }),
  };
  const socket = open();
  const system = new ActorSystem();
  const listener = system.spawn(listenerSpec("mqtt", services, () => [acceptorOf(socket)]));
  return { port: socket.addr.port, intake, stats, listener, system };
}

const loopback = { hostname: "127.0.0.1", port: 0 };

async function sendTo(connection: Deno.Conn, packet: Packet): Promise<void> {
  await connection.write(encodePacket(packet, 4));
}

async function readFrom(connection: Deno.Conn): Promise<string | null> {
  const bytes = new Uint8Array(1_000);
  const count = await connection.read(bytes);
  return count === null ? null : bytes.subarray(0, count).toHex();
}

async function drain({ system, listener }: Pick<Endpoint, "system" | "listener">): Promise<void> {
  const make = (drained: ActorRef<"drained">) => ({ kind: "drain", drained }) as const;
  assert.equal(await system.ask(listener, make, 10_000), "drained");
}

Deno.test("accepts, takes a reading, drains and stops", async () => {
  const endpoint = startEndpoint(() => Deno.listen(loopback));
  const connection = await Deno.connect({ ...loopback, port: endpoint.port });
  await sendTo(connection, connectOf({}));
  assert.equal(await readFrom(connection), "20020000");
  await sendTo(connection, publishOf({ packetId: 258 }));
  await sendTo(connection, { kind: "pingreq" });
  assert.equal(await readFrom(connection), "d000");
  const drained = drain(endpoint);
  endpoint.intake.settle([0]);
  assert.equal(await readFrom(connection), "40020102");
  assert.equal(await readFrom(connection), null);
  connection.close();
  await drained;
  assert.equal(endpoint.stats.sessions, 0);
  assert.equal(endpoint.stats.ends("drained"), 1);
  await assert.rejects(Deno.connect({ ...loopback, port: endpoint.port }));
  await endpoint.system.stop();
});

Deno.test("two listeners share a port", async () => {
  const open = (port: number) => () => Deno.listen({ ...loopback, port, reusePort: true });
  const first = startEndpoint(open(0));
  const second = startEndpoint(open(first.port));
  const connections: Deno.Conn[] = [];
  for (let i = 0; i < 40; i++) {
    const connection = await Deno.connect({ ...loopback, port: first.port });
    await sendTo(connection, connectOf({ clientId: `c${i}` }));
    assert.equal(await readFrom(connection), "20020000");
    connections.push(connection);
  }
  assert.equal(first.stats.sessions + second.stats.sessions, 40);
  assert.ok(first.stats.sessions > 0 && second.stats.sessions > 0);
  for (const connection of connections) connection.close();
  for (const endpoint of [first, second]) {
    await drain(endpoint);
    await endpoint.system.stop();
  }
});

Deno.test("a connection over the limit is closed at once and counted", async () => {
  const endpoint = startEndpoint(() => Deno.listen(loopback), { connectionsMax: 1 });
  const first = await Deno.connect({ ...loopback, port: endpoint.port });
  await sendTo(first, connectOf({}));
  assert.equal(await readFrom(first), "20020000");
  const second = await Deno.connect({ ...loopback, port: endpoint.port });
  assert.equal(await readFrom(second).catch(() => null), null);
  assert.equal(endpoint.stats.overLimit, 1);
  first.close();
  second.close();
  await drain(endpoint);
  await endpoint.system.stop();
});

Deno.test("connections that say nothing make room, the oldest first; clients do not", async () => {
  const endpoint = startEndpoint(() => Deno.listen(loopback), { connectionsMax: 3 });
  const dial = () => Deno.connect({ ...loopback, port: endpoint.port });
  const silent = [await dial(), await dial(), await dial()];
  const clients: Deno.Conn[] = [];
  for (const [i, oldest] of silent.entries()) {
    const client = await dial();
    await sendTo(client, connectOf({ clientId: `c${i}` }));
    assert.equal(await readFrom(client), "20020000");
    assert.equal(await readFrom(oldest).catch(() => null), null);
    clients.push(client);
  }
  const late = await dial();
  assert.equal(await readFrom(late).catch(() => null), null);
  assert.equal(endpoint.stats.ends("made_room"), 3);
  assert.equal(endpoint.stats.overLimit, 1);
  assert.equal(endpoint.stats.sessions, 3);
  for (const connection of [...silent, ...clients, late]) connection.close();
  await drain(endpoint);
  await endpoint.system.stop();
});

Deno.test("who is not let in hears why at CONNECT; of very many, some are closed without a word", async () => {
  const left: string[] = [];
  const turnedAway = { reasonCode: reasonCodes.connectionRateExceeded, reason: "later" };
  const endpoint = startEndpoint(() => Deno.listen(loopback), {}, {
    enter: () => turnedAway,
    left: (peer) => left.push(peer),
  });
  const dial = () => Deno.connect({ ...loopback, port: endpoint.port });
  const old = await dial();
  await sendTo(old, connectOf({}));
  assert.equal(await readFrom(old), "20020003", "MQTT 3 has no better word than unavailable");
  assert.equal(await readFrom(old), null);
  const client = await dial();
  await client.write(encodePacket(connectOf({ version: 5 }), 5));
  assert.equal(await readFrom(client), "200b009f081f00056c61746572");
  const silent: Deno.Conn[] = [];
  for (let i = 0; i < 256; i++) silent.push(await dial());
  const late = await dial();
  assert.equal(await readFrom(late).catch(() => null), null);
  for (const connection of [old, client, late, ...silent]) connection.close();
  await drain(endpoint);
  assert.deepEqual(left, [], "it was never in");
  assert.equal(endpoint.stats.sessions, 0);
  await endpoint.system.stop();
});

Deno.test("accepting goes on after it failed", async () => {
  const socket = Deno.listen(loopback);
  let failures = 2;
  const sound = acceptorOf(socket);
  const flaky: Acceptor = {
    accept: () => failures-- > 0 ? Promise.reject(new Error("no descriptors")) : sound.accept(),
    close: () => sound.close(),
  };
  const errors: unknown[] = [];
  const stats = new EndpointStats();
  const clock = new ManualClock();
  const system = new ActorSystem({ clock });
  const services: EndpointServices = {
    intake: new FakeIntake(),
    limits: testLimits,
    authenticate: openToAll,
    messages: memoryPubSub(systemClock).pubsub,
    stats,
    events: { acceptFailed: (error) => errors.push(error) },
  };
  const listener = system.spawn(listenerSpec("mqtt", services, () => [flaky]));
  const connection = await Deno.connect({ ...loopback, port: socket.addr.port });
  await sendTo(connection, connectOf({}));
  for (let failed = 1; failed <= 2; failed++) {
    await settle();
    assert.equal(errors.length, failed);
    clock.advance(200);
  }
  assert.equal(await readFrom(connection), "20020000");
  assert.equal(errors.length, 2);
  assert.equal(stats.acceptErrors, 2);
  connection.close();
  await drain({ system, listener });
  await system.stop();
});
