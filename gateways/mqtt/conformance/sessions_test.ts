/** Sessions that outlive their connection, packet by packet. */
import assert from "node:assert/strict";
import type { Connect, Will } from "../codec/connect.ts";
import type { Packet } from "../codec/packet.ts";
import { noProperties } from "../codec/properties.ts";
import type { Qos } from "../codec/publish.ts";
import {
  connectOf,
  type MemoryConnection,
  publishOf,
  SessionHarness,
  settle,
  testLimits,
} from "../endpoint/testing.ts";
import { acknowledgement, messagesIn, say, subscribeTo } from "./testing.ts";

const read = ({ payload }: { readonly payload: Uint8Array }): string =>
  new TextDecoder().decode(payload);

/** Packets in short: what of them must be as it was when they are sent again. */
const short = (packets: readonly Packet[]): unknown[] =>
  packets.map((packet) => {
    if (packet.kind === "publish") return [packet.packetId, packet.dup, read(packet)];
    if ("packetId" in packet) return [packet.kind, packet.packetId];
    return packet.kind;
  });

/** A server that keeps sessions, and its clients, all of one version. */
class Server {
  readonly version: 4 | 5;
  readonly harness = new SessionHarness(
    { limits: { ...testLimits, sessionExpiryMaxS: 600 } },
    {
      kept: {
        file: ":memory:",
        busyMs: 0,
        shards: 1,
        first: true,
        countMax: 10,
        queueMessagesMax: 100,
        queueBytesMax: 100_000,
        bytesMax: 1_000_000,
        failed: (cause) => {
          throw cause;
        },
      },
    },
  );
  #publisher: MemoryConnection | undefined;

  constructor(version: 4 | 5) {
    this.version = version;
  }

  /** Connects with a session that is kept; gives what was sent behind CONNACK, too. */
  async connect(
    clientId: string,
    more: Partial<Connect> = {},
    expiryS = 600,
  ): Promise<{ connection: MemoryConnection; present: boolean; sent: Packet[] }> {
    const { version } = this;
    const properties = version === 5 ? { sessionExpiryIntervalS: expiryS } : noProperties;
    const { connection } = this.harness.open();
    const connect = connectOf({ version, clientId, clean: false, properties, ...more });
    const [connack, ...sent] = await say(connection, version, connect);
    assert.ok(connack?.kind === "connack" && connack.reasonCode === 0);
    return { connection, present: connack.sessionPresent, sent };
  }

  say(connection: MemoryConnection, ...packets: Packet[]): Promise<Packet[]> {
    return say(connection, this.version, ...packets);
  }

  async publish(payload: string, qos: Qos = 1, topic = "t"): Promise<void> {
    this.#publisher ??= await this.harness.connected({
      version: this.version,
      clientId: "publisher",
    });
    // Never acknowledged: each needs an identifier of its own.
    const packetId = qos === 0 ? 0 : this.harness.intake.taken.length + 1;
    const bytes = new TextEncoder().encode(payload);
    await this.say(this.#publisher, publishOf({ topic, payload: bytes, qos, packetId }));
    this.harness.intake.settle([this.harness.intake.taken.length - 1]);
    if (qos === 2) await this.say(this.#publisher, acknowledgement("pubrel", packetId));
  }
}

/** The network fails: no DISCONNECT. */
async function cut(connection: MemoryConnection): Promise<void> {
  connection.end();
  await settle();
}

const bothVersions = async (run: (server: Server) => Promise<void>): Promise<void> => {
  for (const version of [4, 5] as const) {
    const server = new Server(version);
    await run(server);
    server.harness.exchange.pubsub.close();
  }
};

// Shows 5: 3.1.2-4, 3.1.2-5, 3.1.2-6, 3.1.2-23, 3.1.4-4, 3.2.2-3; 3.1.1: 3.1.2-4, 3.1.2-5, 3.1.4-3,
// 3.2.2-2, 4.1.0-1.
Deno.test("a session goes on where it was, with what came meanwhile, until a clean start ends it", () =>
  bothVersions(async (server) => {
    const first = await server.connect("c");
    assert.equal(first.present, false);
    await server.say(first.connection, subscribeTo("t", 2));
    await cut(first.connection);
    await server.publish("one", 1);
    await server.publish("nobody is there", 0);
    await server.publish("two", 2);
    await server.harness.sweepAfter(300_000);
    const second = await server.connect("c");
    assert.equal(second.present, true);
    assert.deepEqual(short(second.sent), [[1, false, "one"], [2, false, "two"]]);
    await cut(second.connection);
    const clean = await server.connect("c", { clean: true, properties: noProperties });
    assert.equal(clean.present, false);
    await server.publish("nobody has subscribed");
    assert.deepEqual([...clean.sent, ...clean.connection.sent(server.version)], []);
    await cut(clean.connection);
    const last = await server.connect("c");
    assert.deepEqual([last.present, last.sent], [false, []]);
  }));

// Shows 5: 3.3.2-7.
Deno.test("aliases towards a client begin anew with every connection, its session's too", async () => {
  const server = new Server(5);
  const connect = async () => {
    const properties = { sessionExpiryIntervalS: 600, topicAliasMaximum: 3 };
    const { connection, sent } = await server.connect("c", { properties });
    return {
      connection,
      aliases: (more: Packet[] = []) =>
        messagesIn([...sent.splice(0), ...more])
          .map(({ topic, properties }) => [topic, properties.topicAlias]),
    };
  };
  const first = await connect();
  await server.say(first.connection, subscribeTo("topic/#", 1));
  for (const payload of ["a", "b"]) await server.publish(payload, 1, "topic/one");
  const sent = first.connection.sent(5);
  assert.deepEqual(first.aliases(sent), [["topic/one", 1], ["", 1]]);
  await cut(first.connection);
  assert.equal(server.harness.exchange.pubsub.kept?.disconnected, 1);
  await server.publish("c", 1, "topic/two");
  // What was not acknowledged comes again, and the topic with it.
  const second = await connect();
  assert.equal(server.harness.exchange.pubsub.kept?.disconnected, 0);
  assert.deepEqual(second.aliases(), [["topic/one", 1], ["", 1], ["topic/two", 2]]);
  server.harness.exchange.pubsub.close();
});

// Shows 5: 3.3.1-1, 4.3.3-6, 4.4.0-1; 3.1.1: 3.3.1-1, 4.4.0-1.
Deno.test("what was not acknowledged comes again with its identifier and DUP, on a new connection alone", () =>
  bothVersions(async (server) => {
    const first = await server.connect("c");
    await server.say(first.connection, subscribeTo("t", 2));
    for (const [payload, qos] of [["a", 1], ["b", 1], ["c", 2], ["d", 2]] as const) {
      await server.publish(payload, qos);
    }
    const sent = short(first.connection.sent(server.version));
    assert.deepEqual(sent, [[1, false, "a"], [2, false, "b"], [3, false, "c"], [4, false, "d"]]);
    const answer = await server.say(
      first.connection,
      acknowledgement("puback", 1),
      acknowledgement("pubrec", 3),
    );
    assert.deepEqual(short(answer), [["pubrel", 3]]);
    for (let s = 0; s < 80; s += 20) {
      await server.harness.sweepAfter(20_000);
      const [pong, ...more] = await server.say(first.connection, { kind: "pingreq" });
      assert.deepEqual([pong?.kind, more], ["pingresp", []], "nothing is sent again meanwhile");
    }
    await cut(first.connection);
    const second = await server.connect("c");
    assert.deepEqual(short(second.sent), [[2, true, "b"], ["pubrel", 3], [4, true, "d"]]);
    // A second loss of the connection changes nothing.
    await cut(second.connection);
    const third = await server.connect("c");
    assert.deepEqual(third.sent, second.sent);
    const released = await server.say(
      third.connection,
      acknowledgement("puback", 2),
      acknowledgement("pubcomp", 3),
      acknowledgement("pubrec", 4),
      acknowledgement("pubcomp", 4),
    );
    assert.deepEqual(short(released), [["pubrel", 4]]);
    await cut(third.connection);
    assert.deepEqual((await server.connect("c")).sent, []);
  }));

// Shows 5: 4.1.0-2.
Deno.test("a session is over when its expiry has passed since its connection ended", async () => {
  const server = new Server(5);
  const { harness } = server;
  const first = await server.connect("c", {}, 10);
  await server.say(first.connection, subscribeTo("t", 1));
  await harness.sweepAfter(30_000); // Does not count while it is connected.
  await cut(first.connection);
  await harness.sweepAfter(9_999);
  const second = await server.connect("c", {}, 10);
  assert.equal(second.present, true);
  await cut(second.connection);
  await server.publish("for nobody");
  await harness.sweepAfter(10_000);
  const { kept } = harness.exchange.pubsub;
  assert.deepEqual([kept?.count, kept?.total.count], [0, 0]);
  // Nor does it go on in the second before somebody looks.
  const third = await server.connect("c", {}, 10);
  assert.equal(third.present, false);
  await cut(third.connection);
  harness.clock.advance(10_000);
  assert.equal((await server.connect("c", {}, 10)).present, false);
  harness.exchange.pubsub.close();
});

// Shows 5: 3.1.3-9.
Deno.test("a will with a delay is kept back by a new connection in time, and sent without one", async () => {
  const server = new Server(5);
  const { harness } = server;
  const listener = await harness.connected({ version: 5, clientId: "listener", keepAliveS: 0 });
  await server.say(listener, subscribeTo("gone"));
  const will: Will = {
    topic: "gone",
    payload: new Uint8Array(1),
    qos: 0,
    retain: false,
    properties: { willDelayIntervalS: 5 },
  };
  const first = await server.connect("c", { will });
  await cut(first.connection);
  await harness.sweepAfter(4_000);
  const second = await server.connect("c", { will });
  await harness.sweepAfter(6_000);
  assert.deepEqual(listener.sent(5), []);
  // One that takes the session from a connection that is still there keeps it back, too.
  const third = await server.connect("c", { will });
  await harness.sweepAfter(6_000);
  assert.equal(second.connection.closed || second.connection.halfClosed, true);
  assert.deepEqual(listener.sent(5), []);
  await cut(third.connection);
  await harness.sweepAfter(5_000);
  await harness.sweepAfter(5_000);
  assert.deepEqual(messagesIn(listener.sent(5)).map(({ topic }) => topic), ["gone"]);
  harness.exchange.pubsub.close();
});

// Shows 5: 3.1.2-8; 3.1.1: 3.1.2-8.
Deno.test("the will of a session that is kept is sent at once, and once", () =>
  bothVersions(async (server) => {
    const { harness, version } = server;
    const listener = await harness.connected({ version, clientId: "listener", keepAliveS: 0 });
    await server.say(listener, subscribeTo("gone"));
    const will: Will = {
      topic: "gone",
      payload: new Uint8Array(1),
      qos: 0,
      retain: false,
      properties: {},
    };
    await cut((await server.connect("c", { will })).connection);
    assert.deepEqual(messagesIn(listener.sent(version)).map(({ topic }) => topic), ["gone"]);
    await harness.sweepAfter(30_000);
    const back = await server.connect("c", { will });
    await server.say(back.connection, { kind: "disconnect", reasonCode: 0, properties: {} });
    await harness.sweepAfter(30_000);
    assert.deepEqual(listener.sent(version), []);
  }));

// Shows 5: 4.8.2-4, 4.8.2-5.
Deno.test("a QoS 2 message of a shared subscription waits for its member, and for no other", async () => {
  const server = new Server(5);
  const share = subscribeTo("$share/g/t", 2);
  const members = new Map<string, MemoryConnection>();
  for (const clientId of ["a", "b"]) {
    const { connection } = await server.connect(clientId);
    members.set(clientId, connection);
    await server.say(connection, share);
  }
  const [a, b] = [members.get("a")!, members.get("b")!];
  await server.publish("for one", 2);
  const got = [a.sent(5), b.sent(5)];
  const [chosen, clientId, other] = got[0]!.length > 0 ? [a, "a", b] : [b, "b", a];
  assert.deepEqual(got.map(({ length }) => length).toSorted(), [0, 1]);
  await cut(chosen);
  await server.harness.sweepAfter(2_000);
  assert.deepEqual(other.sent(5), []);
  const back = await server.connect(clientId);
  assert.deepEqual(short(back.sent), [[1, true, "for one"]]);
  await cut(back.connection);
  // Its session ends before it has it all.
  const clean = await server.connect(clientId, { clean: true, properties: noProperties });
  await server.harness.sweepAfter(2_000);
  assert.deepEqual([clean.sent, other.sent(5)], [[], []]);
  await server.publish("for the other", 2);
  assert.deepEqual(short(other.sent(5)), [[1, false, "for the other"]]);
  server.harness.exchange.pubsub.close();
});
