import assert from "node:assert/strict";
import fc from "fast-check";
import { concatBytes } from "../../../actors/concat_bytes.ts";
import { encodePacket, type Packet } from "./packet.ts";
import { Collector } from "./testing/collector.ts";
import { packetSamples, sampleBytes } from "./testing/packet_samples.ts";
import type { Role } from "./packet_type.ts";
import { noProperties } from "./properties.ts";
import { ProtocolError } from "./protocol_error.ts";
import { reasonCodes } from "./reason_code.ts";
import { type PacketHandler, PacketScanner } from "./scanner.ts";

const packetBytesMax = 1 << 20;

function scannerFor(role: Role, version: 3 | 4 | 5): { scanner: PacketScanner; seen: Collector } {
  const seen = new Collector();
  return { scanner: new PacketScanner(role, seen, { version, packetBytesMax }), seen };
}

function streamOf(role: Role, version: 4 | 5): { bytes: Uint8Array; packets: Packet[] } {
  const samples = packetSamples.filter((s) =>
    s.to === role && s.version === version && s.packet.kind !== "connect"
  );
  const long: Packet = {
    kind: "publish",
    topic: "long",
    payload: new Uint8Array(300).fill(7),
    qos: 0,
    dup: false,
    retain: false,
    packetId: 0,
    properties: noProperties,
  };
  const packets = [...samples.map((s) => s.packet), long, ...samples.map((s) => s.packet)];
  return { bytes: concatBytes(packets.map((packet) => encodePacket(packet, version))), packets };
}

for (const role of ["server", "client"] as const) {
  for (const version of [4, 5] as const) {
    Deno.test(`the same packets to a ${role} of MQTT ${version}, split at every byte`, () => {
      const { bytes, packets } = streamOf(role, version);
      for (let cut = 0; cut <= bytes.length; cut++) {
        const { scanner, seen } = scannerFor(role, version);
        const at = scanner.scan(bytes, 0, cut);
        assert.ok(at <= cut && (at === cut) === (scanner.missingBytes === 0));
        assert.ok(cut + scanner.missingBytes <= bytes.length);
        assert.equal(scanner.scan(bytes, at, bytes.length), bytes.length);
        assert.deepEqual(seen.packets, packets);
      }
    });

    Deno.test(`mutated bytes to a ${role} of MQTT ${version} end in packets or a ProtocolError`, () => {
      const { bytes } = streamOf(role, version);
      const change = fc.record({
        at: fc.nat(bytes.length - 1),
        to: fc.integer({ min: 0, max: 255 }),
      });
      fc.assert(
        fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
          const mutated = bytes.slice();
          for (const { at, to } of changes) mutated[at] = to;
          const { scanner } = scannerFor(role, version);
          try {
            const end = scanner.scan(mutated, 0, mutated.length);
            assert.ok(end <= mutated.length);
          } catch (error) {
            assert.ok(error instanceof ProtocolError, String(error));
          }
        }),
        { numRuns: 3_000, seed: 2 },
      );
    });
  }
}

Deno.test("a packet that is not taken comes again, and nothing is lost or doubled", () => {
  const { bytes, packets } = streamOf("server", 4);
  fc.assert(
    fc.property(fc.infiniteStream(fc.boolean()), (answers) => {
      const seen = new Collector();
      const gate: PacketHandler = {
        publish: (view) => (seen.open = answers.next().value) && seen.publish(view),
        acknowledged: (...ack) => (seen.open = answers.next().value) && seen.acknowledged(...ack),
        packet: (packet) => (seen.open = answers.next().value) && seen.packet(packet),
      };
      const scanner = new PacketScanner("server", gate, { version: 4, packetBytesMax });
      let at = 0;
      for (let turn = 0; at < bytes.length && turn < 1_000; turn++) {
        at = scanner.scan(bytes, at, bytes.length);
      }
      assert.deepEqual(seen.packets, packets);
    }),
    { numRuns: 200, seed: 3 },
  );
});

Deno.test("a server takes the version from CONNECT, which must come first and once", () => {
  const connect = sampleBytes(packetSamples.find((s) => s.name.startsWith("CONNECT 5"))!);
  const ping = Uint8Array.of(0xc0, 0);
  const seen = new Collector();
  const scanner = new PacketScanner("server", seen, { packetBytesMax });
  assert.throws(() => scanner.scan(ping, 0, 1), /MQTT-3\.1\.0-1/);

  seen.open = false;
  assert.equal(scanner.scan(connect, 0, connect.length), 0);
  assert.equal(scanner.version, undefined);
  seen.open = true;
  assert.equal(scanner.scan(connect, 0, connect.length), connect.length);
  assert.equal(scanner.version, 5);
  scanner.scan(ping, 0, 2);
  assert.deepEqual(seen.packets.map((p) => p.kind), ["connect", "pingreq"]);
  assert.throws(() => scanner.scan(connect, 0, connect.length), /MQTT-3\.1\.0-2/);
});

Deno.test("a packet over the limit is refused by its header, before its body is there", () => {
  const scanner = new PacketScanner("server", new Collector(), { version: 4, packetBytesMax: 100 });
  const fits = encodePacket({
    kind: "publish",
    topic: "t",
    payload: new Uint8Array(95),
    qos: 0,
    dup: false,
    retain: false,
    packetId: 0,
    properties: noProperties,
  }, 4);
  assert.equal(scanner.scan(fits, 0, fits.length), 100);
  const header = Uint8Array.of(0x30, 99);
  assert.throws(
    () => scanner.scan(header, 0, 2),
    (error) => error instanceof ProtocolError && error.reasonCode === reasonCodes.packetTooLarge,
  );
});

Deno.test("refuses what the other end must not send, by the first byte alone", () => {
  const cases: readonly [Role, 4 | 5, number][] = [
    ["server", 4, 0x20],
    ["server", 5, 0x90],
    ["server", 4, 0xf0],
    ["client", 4, 0x10],
    ["client", 4, 0xe0],
    ["client", 5, 0x82],
    ["server", 4, 0x00],
  ];
  for (const [role, version, first] of cases) {
    const { scanner } = scannerFor(role, version);
    assert.throws(() => scanner.scan(Uint8Array.of(first), 0, 1), ProtocolError);
  }
});

Deno.test("a remaining length of five bytes is malformed, also when cut", () => {
  const { scanner } = scannerFor("server", 4);
  const bytes = Uint8Array.of(0x30, 0xff, 0xff, 0xff, 0xff, 0x01);
  assert.equal(scanner.scan(bytes, 0, 4), 0);
  assert.equal(scanner.missingBytes, 1);
  assert.throws(() => scanner.scan(bytes, 0, 5), /MQTT-1\.5\.5-1/);
});

Deno.test("text of another protocol on the port is refused at once", () => {
  const request = new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n");
  const scanner = new PacketScanner("server", new Collector(), { packetBytesMax });
  assert.throws(() => scanner.scan(request, 0, request.length), ProtocolError);
});
