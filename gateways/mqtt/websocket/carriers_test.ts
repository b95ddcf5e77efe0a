import assert from "node:assert/strict";
import { ManualClock } from "../../../runtime/clock.ts";
import { Problem } from "../../http/problem.ts";
import { opcodes } from "../../websocket/wire/frame_head.ts";
import { clientFrame, closeCodeIn, serverFrames } from "../../websocket/testing/client_frames.ts";
import { BufferBudget } from "../endpoint/read_buffer.ts";
import { MemoryConnection, settle } from "../endpoint/testing.ts";
import { Carriers, type CarriersOptions } from "./carriers.ts";
import { certificatePrint, parsePrints, RevokedCertificates } from "./revoked_certificates.ts";

const upgrade = () =>
  new Request("http://sluice.example/mqtt", {
    headers: {
      upgrade: "websocket",
      connection: "Upgrade",
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
      "sec-websocket-protocol": "mqtt",
    },
  });

/** Carriers to one shard; the test is the other end of each connection to it. */
function carrying(overrides: Partial<CarriersOptions> = {}) {
  const clock = new ManualClock();
  const shards: MemoryConnection[] = [];
  const carriers = new Carriers({
    socket: { clock, budget: new BufferBudget(1 << 20), idleMs: 30_000 },
    shards: 1,
    dial: () => {
      const shard = new MemoryConnection();
      shards.push(shard);
      return Promise.resolve(shard);
    },
    revoked: () => {},
    ...overrides,
  });
  return { carriers, clock, shards };
}

Deno.test("a certificate too long to tell a shard is refused, and takes nobody's place", async () => {
  let dialed = 0;
  const { carriers } = carrying({
    revoked: () => assert.fail(),
    dial: () => {
      dialed++;
      return Promise.reject(new Error("away"));
    },
  });
  const certificate = { name: "n".repeat(70_000), issuer: "CN=ca", serial: "01", expiresMs: 0 };
  const refused = async (shown: typeof certificate | undefined) => {
    const caller = { peer: "10.0.0.1", certificate: shown, takeOver: () => undefined };
    const error = await carriers.upgrade(upgrade(), caller).catch((cause: unknown) => cause);
    assert.ok(error instanceof Problem);
    return error.message;
  };
  // More of them than there are places.
  for (let i = 0; i < 5_000; i++) {
    assert.match(await refused(certificate), /certificate are too long/);
  }
  assert.equal(dialed, 0);
  assert.match(await refused(undefined), /no more connections/);
  assert.equal(dialed, 1, "there was a place");
});

Deno.test("a revoked certificate is told to the shards, and its session has time to say so", async () => {
  const told: (readonly string[])[] = [];
  const { carriers, clock, shards } = carrying({ revoked: (prints) => told.push(prints) });
  const clients: MemoryConnection[] = [];
  const certificates = ["01", "02", "03"].map((serial) => (
    { name: "n", issuer: "CN=ca", serial, expiresMs: 9e12 }
  ));
  for (const certificate of [...certificates, undefined]) {
    const client = new MemoryConnection();
    clients.push(client);
    await carriers.upgrade(upgrade(), { peer: "10.0.0.1", certificate, takeOver: () => client });
  }
  const [one, other, good] = certificates;
  const isRevoked = ({ serial }: { readonly serial: string }) => serial !== good?.serial;
  carriers.recheck(isRevoked);
  await settle();
  const prints = [one!, other!].map(certificatePrint);
  assert.deepEqual([told, carriers.revoked], [[prints], prints]);
  assert.deepEqual(shards.map(({ closed }) => closed), [false, false, false, false]);
  const revoked = new RevokedCertificates();
  revoked.replace(parsePrints(told[0]));
  assert.deepEqual(certificates.map((certificate) => revoked.has(certificate)), [
    true,
    true,
    false,
  ]);

  // The first one's session ends; the other one's does not.
  clients[0]!.sentBytes();
  shards[0]!.feed(new Uint8Array([0xe0, 1, 0x98]));
  shards[0]!.end();
  await settle();
  const farewell = clients[0]!.sentBytes();
  assert.deepEqual([...farewell.subarray(0, 5)], [0x82, 3, 0xe0, 1, 0x98], "its DISCONNECT");
  const [, , closing, , high, low] = farewell.subarray(3);
  assert.deepEqual([closing, high! << 8 | low!], [0x88, 1_008]);
  carriers.recheck(isRevoked);
  assert.deepEqual(carriers.revoked, prints.slice(1));
  clock.advance(4_999);
  await settle();
  assert.equal(shards[1]!.closed, false);
  clock.advance(1);
  await settle();
  assert.deepEqual(shards.map(({ closed }) => closed), [true, true, false, false]);
  assert.equal(carriers.counters()["sluice_mqtt_ws_ended_revoked_total"], 2);
  carriers.close();
  await settle();
});

Deno.test("a client that sends and takes nothing goes when its session has gone", async () => {
  const { carriers, clock, shards } = carrying();
  const client = new MemoryConnection();
  await carriers.upgrade(upgrade(), { peer: "10.0.0.1", takeOver: () => client });
  const shard = shards[0]!;
  await settle();
  client.blockWrites();
  shard.feed(new Uint8Array(100));
  await settle();
  shard.write = () => Promise.reject(new Error("broken pipe")); // The session has ended.
  shard.end();
  client.feed(clientFrame({ opcode: opcodes.binary, payload: "x" }));
  await settle();
  assert.deepEqual([carriers.size, client.reading], [1, false]);
  clock.advance(45_000);
  await settle();
  assert.deepEqual([carriers.size, client.closed, shard.closed], [0, true, true]);
});

Deno.test("what has come of a frame of 64 MiB goes on at once; one that announces more is 1009", async () => {
  const { carriers, shards } = carrying();
  const announces = async (announcedBytes: number) => {
    const client = new MemoryConnection();
    await carriers.upgrade(upgrade(), { peer: "10.0.0.1", takeOver: () => client });
    await settle();
    client.sentBytes(); // The handshake's answer.
    shards.at(-1)!.sentBytes(); // Who the client is.
    client.feed(clientFrame({ opcode: opcodes.binary, announcedBytes, payload: "begun" }));
    await settle();
    const frames = serverFrames(client.sentBytes()).frames;
    return { code: closeCodeIn(frames), carried: shards.at(-1)!.sentBytes().length };
  };
  assert.deepEqual(await announces(64 * 1024 * 1024), { code: undefined, carried: 5 });
  assert.deepEqual(await announces(64 * 1024 * 1024 + 1), { code: 1009, carried: 0 });
  assert.equal(carriers.counters()["sluice_mqtt_ws_ended_protocol_total"], 1);
  carriers.close();
  await settle();
});

Deno.test("a certificate that is revoked while a shard is dialled is refused", async () => {
  const shard = new MemoryConnection();
  const dialled = Promise.withResolvers<MemoryConnection>();
  const { carriers } = carrying({ dial: () => dialled.promise });
  const certificate = { name: "n", issuer: "CN=ca", serial: "01", expiresMs: 9e12 };
  const caller = { peer: "10.0.0.1", certificate, takeOver: () => assert.fail("was let in") };
  const answer = carriers.upgrade(upgrade(), caller);
  carriers.recheck(({ serial }) => serial === "01");
  dialled.resolve(shard);
  await assert.rejects(answer, /certificate was revoked/);
  assert.deepEqual([shard.closed, carriers.size], [true, 0]);
});

Deno.test("who is told of revoked certificates believes no other message", () => {
  for (const wrong of [undefined, "print", [1], [["print"]]]) {
    assert.throws(() => parsePrints(wrong), TypeError);
  }
});
