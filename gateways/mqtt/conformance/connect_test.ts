/** CONNECT, byte by byte, and what becomes of the connection. */
import assert from "node:assert/strict";
import { encodePacket, type Packet } from "../codec/packet.ts";
import { noProperties } from "../codec/properties.ts";
import { connectOf, publishOf, SessionHarness, settle } from "../endpoint/testing.ts";
import { bytesOf, framed, hasEnded, messagesIn, say, subscribeTo } from "./testing.ts";

const properties = noProperties;
const name = "0004'MQTT'";

// Shows 5: 3.1.2-1, 3.1.2-3, 3.1.2-9, 3.1.2-11, 3.1.2-12, 3.1.2-13, 3.1.2-16, 3.1.2-17, 3.1.2-18,
// 3.1.2-19, 3.1.3-1, 3.1.3-3, 3.1.3-4, 3.1.3-11, 3.1.3-12, 3.1.4-1, 3.14.0-1; 3.1.1: 3.1.2-1,
// 3.1.2-3, 3.1.2-9, 3.1.2-11, 3.1.2-13, 3.1.2-14, 3.1.2-15, 3.1.2-18, 3.1.2-19, 3.1.2-20, 3.1.2-21,
// 3.1.2-22, 3.1.3-1, 3.1.3-3, 3.1.3-4, 3.1.3-10, 3.1.3-11, 3.1.4-1.
Deno.test("a CONNECT that is not as it must be ends the connection without a word", async () => {
  // Flags and what follows the keep-alive (and, in MQTT 5, the properties).
  const wrong: readonly [what: string, flags: string, payload: string, only?: 4 | 5][] = [
    ["the reserved flag", "03", "0001'c'"],
    ["will QoS without will", "0a", "0001'c'"],
    ["will retain without will", "22", "0001'c'"],
    ["will QoS 3", "1e", "0001'c' 0001'w' 0001'p'"],
    ["a will flag and no will", "06", "0001'c'"],
    ["a will and no flag", "02", "0001'c' 0001'w' 0001'p'"],
    ["a user name and no flag", "02", "0001'c' 0001'u'"],
    ["a user name flag and no user name", "82", "0001'c'"],
    ["a password and no flag", "82", "0001'c' 0001'u' 0001'p'"],
    ["a password flag and no password", "c2", "0001'c' 0001'u'"],
    ["a password without user name", "42", "0001'c' 0001'p'", 4],
    ["no client id", "02", ""],
    ["a client id that is not UTF-8", "02", "0001ff"],
    ["a will topic that is not UTF-8", "06", "0001'c' 0001ff 0001'p'", 4],
    ["a will topic that is not UTF-8", "06", "0001'c' 00 0001ff 0001'p'", 5],
    ["a user name that is not UTF-8", "82", "0001'c' 0003eda080"],
  ];
  for (const [what, flags, payload, only] of wrong) {
    for (const version of [4, 5] as const) {
      if (only !== undefined && version !== only) continue;
      const harness = new SessionHarness();
      const { connection } = harness.open();
      const rest = version === 5 ? `003c 00 ${payload}` : `003c ${payload}`;
      const answer = await say(
        connection,
        version,
        framed(0x10, `${name} 0${version} ${flags} ${rest}`),
        publishOf({ qos: 0 }),
      );
      assert.deepEqual(answer, [], `${what}, MQTT ${version}`);
      assert.ok(hasEnded(connection), `${what}, MQTT ${version}`);
      assert.deepEqual(harness.intake.taken, []);
    }
  }
  const harness = new SessionHarness();
  const { connection } = harness.open();
  assert.deepEqual(await say(connection, 4, framed(0x10, "0004'MQTX' 04 02 003c 0001'c'")), []);
  assert.ok(hasEnded(connection));
});

// Shows 5: 3.1.3-5; 3.1.1: 3.1.3-5, 3.1.3-6, 3.1.2-6.
Deno.test("client ids of letters and digits are taken, and none at all with Clean Session", async () => {
  for (const version of [4, 5] as const) {
    for (const clientId of ["a", "0123456789abcdefghijABC", "NOPQRSTUVWXYZklmnopqrst", ""]) {
      const harness = new SessionHarness();
      const { connection } = harness.open();
      const [connack] = await say(connection, version, connectOf({ version, clientId }));
      assert.equal(connack?.kind === "connack" && connack.reasonCode, 0, clientId);
      assert.equal(connack?.kind === "connack" && connack.sessionPresent, false);
    }
  }
  // Two without an id are two clients.
  const harness = new SessionHarness();
  const first = await harness.connected({ clientId: "" });
  await harness.connected({ clientId: "" });
  assert.equal(hasEnded(first), false);
});

// Shows 3.1.1: 3.2.2-6.
Deno.test("a will that MQTT 3 has no return code for ends the connection without CONNACK", async () => {
  const harness = new SessionHarness();
  const { connection } = harness.open();
  const will = {
    topic: "a/#",
    payload: new Uint8Array(),
    qos: 0,
    retain: false,
    properties,
  } as const;
  assert.deepEqual(await say(connection, 4, connectOf({ will })), []);
  assert.ok(hasEnded(connection));
});

// Shows 5: 3.2.2-19, 3.14.2-2, 3.14.2-3.
Deno.test("a reason that makes CONNACK or DISCONNECT too large for the client is left out", async () => {
  const harness = new SessionHarness();
  const { connection } = harness.open();
  const small = { maximumPacketSize: 24 };
  connection.feed(
    encodePacket(connectOf({ version: 5, properties: { ...small, authenticationMethod: "m" } }), 5),
  );
  await settle();
  assert.equal(connection.sentBytes().toHex(), "2003008c00");
  const other = await harness.connected({ version: 5, properties: small });
  other.feed(bytesOf("c100"));
  await settle();
  assert.equal(other.sentBytes().toHex(), "e00181");
});

// Shows 5: 3.1.2-14, 3.1.2-15, 3.1.3-10, 3.3.2-18; 3.1.1: 3.1.2-16, 3.1.2-17, 3.1.2-12, 3.1.2-7.
Deno.test("a will is retained as it asks, with its properties in order; without will nothing comes", async () => {
  for (const version of [4, 5] as const) {
    for (const retain of [false, true]) {
      const harness = new SessionHarness();
      const listener = await harness.connected({ version, clientId: "listener" });
      await say(listener, version, subscribeTo("gone", 1));
      const pairs = [["b", "1"], ["a", "2"], ["b", "0"]] as const;
      const willProperties = version === 5 ? { userProperties: pairs } : properties;
      const will = { topic: "gone", payload: Uint8Array.of(1), qos: 1, retain } as const;
      const dying = await harness.connected({
        version,
        clientId: "dying",
        will: { ...will, properties: willProperties },
      });
      const silent = await harness.connected({ version, clientId: "silent" });
      dying.end();
      silent.end();
      await settle();
      const [message, ...more] = messagesIn(listener.sent(version));
      assert.deepEqual(more, []);
      assert.equal(message?.retain, false);
      assert.deepEqual(message?.properties, willProperties);
      // The session is over; what is retained stays.
      const late = await harness.connected({ version, clientId: "late" });
      const found = messagesIn(await say(late, version, subscribeTo("gone", 1)));
      assert.deepEqual(found.map((packet) => packet.retain), retain ? [true] : []);
    }
  }
});

// Shows 5: 4.1.0-1, 4.2-1; 3.1.1: 4.1.0-2, 7.1.1-1.
Deno.test("a session lasts as long as its connection, however long that is silent", async () => {
  const harness = new SessionHarness();
  const listener = await harness.connected({ version: 5, clientId: "listener", keepAliveS: 0 });
  const publisher = await harness.connected({ clientId: "publisher", keepAliveS: 0 });
  await say(listener, 5, subscribeTo("a"));
  await harness.sweepAfter(3_600_000);
  const sent: Packet = publishOf({ topic: "a", qos: 0 });
  await say(publisher, 4, sent);
  assert.deepEqual(messagesIn(listener.sent(5)).map(({ topic }) => topic), ["a"]);
});
