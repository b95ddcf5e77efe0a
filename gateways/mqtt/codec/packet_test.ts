import assert from "node:assert/strict";
import { encodePacket, type Packet, readPacket } from "./packet.ts";
import { type PacketSample, packetSamples, sampleBytes } from "./testing/packet_samples.ts";
import { noProperties } from "./properties.ts";
import { ProtocolError } from "./protocol_error.ts";
import type { Publish } from "./publish.ts";
import { reasonCodes } from "./reason_code.ts";

const hexOf = (bytes: Uint8Array): string => bytes.toHex();

function read(sample: PacketSample, bytes: Uint8Array): Packet {
  return readPacket(sample.version, bytes[0]!, bytes, 2, bytes.length);
}

for (const sample of packetSamples) {
  Deno.test(`writes and reads ${sample.name}`, () => {
    assert.equal(hexOf(encodePacket(sample.packet, sample.version)), hexOf(sampleBytes(sample)));
    assert.deepEqual(read(sample, sampleBytes(sample)), sample.packet);
  });

  Deno.test(`refuses ${sample.name} cut short anywhere, and with a byte too many`, () => {
    const bytes = sampleBytes(sample);
    for (let end = 2; end < bytes.length; end++) {
      try {
        const cut = readPacket(sample.version, bytes[0]!, bytes.slice(0, end), 2, end);
        assert.ok(mayEndEarly.has(cut.kind), `cut at ${end}: ${JSON.stringify(cut)}`);
      } catch (error) {
        assert.ok(error instanceof ProtocolError, String(error));
      }
    }
    if (takesAnyTail.has(sample.packet.kind)) return;
    const longer = new Uint8Array(bytes.length + 1).fill(0xff);
    longer.set(bytes);
    assert.throws(() => read(sample, longer), ProtocolError);
  });
}

/** Kinds whose last fields are optional or whose payload has no length of its own. */
const mayEndEarly = new Set<string>([
  ...["publish", "suback", "unsuback", "subscribe", "unsubscribe", "connack"],
  ...["puback", "pubrec", "pubrel", "pubcomp", "disconnect", "auth"],
]);
const takesAnyTail = new Set<string>(["publish", "suback", "unsuback"]);

const publish: Publish = {
  kind: "publish",
  topic: "device/1",
  payload: new Uint8Array(0),
  qos: 1,
  dup: false,
  retain: false,
  packetId: 1,
  properties: noProperties,
};

const wrong: readonly [name: string, version: 4 | 5, hex: string, reasonCode: number][] = [
  ["reserved connect flag", 4, "100d00044d5154540403003c000161", reasonCodes.malformedPacket],
  ["unknown level", 4, "100d00044d5154540602003c000161", reasonCodes.unsupportedProtocolVersion],
  [
    "MQIsdp level 4",
    4,
    "100f00064d51497364700402003c000161",
    reasonCodes.unsupportedProtocolVersion,
  ],
  ["other protocol", 4, "100d0004485454500402003c000161", reasonCodes.malformedPacket],
  ["will QoS 3", 4, "101300044d515454041e003c000161000177000178", reasonCodes.malformedPacket],
  ["will QoS without will", 4, "100d00044d515454040a003c000161", reasonCodes.malformedPacket],
  ["will retain without will", 4, "100d00044d5154540422003c000161", reasonCodes.malformedPacket],
  ["password without name", 4, "101000044d5154540442003c000161000170", reasonCodes.malformedPacket],
  ["reserved connack flags", 4, "20020200", reasonCodes.malformedPacket],
  ["PUBLISH QoS 3", 4, "36050001610001", reasonCodes.malformedPacket],
  ["DUP with QoS 0", 4, "3803000161", reasonCodes.malformedPacket],
  ["packet identifier 0", 4, "32050001610000", reasonCodes.malformedPacket],
  ["empty topic", 4, "30020000", reasonCodes.malformedPacket],
  ["topic with +", 4, "300500032f2b2f", reasonCodes.topicNameInvalid],
  ["topic with #", 4, "3003000123", reasonCodes.topicNameInvalid],
  ["topic with NUL", 4, "3003000100", reasonCodes.malformedPacket],
  ["topic with a surrogate", 4, "30050003eda080", reasonCodes.malformedPacket],
  ["wildcard after UTF-8", 4, "30050003c3a923", reasonCodes.topicNameInvalid],
  ["topic alias 0", 5, "3006000003230000", reasonCodes.topicAliasInvalid],
  ["topic alias 0 among others", 5, "30080000050100230000", reasonCodes.topicAliasInvalid],
  ["empty topic without alias", 5, "3003000000", reasonCodes.protocolError],
  ["PUBACK flags", 4, "41020001", reasonCodes.malformedPacket],
  ["PUBREL flags", 4, "60020001", reasonCodes.malformedPacket],
  ["SUBSCRIBE without filter", 4, "82020001", reasonCodes.protocolError],
  ["subscription QoS 3", 4, "8206000100016103", reasonCodes.malformedPacket],
  ["reserved options in 3.1.1", 4, "8206000100016104", reasonCodes.malformedPacket],
  ["reserved options in 5", 5, "820700010000016140", reasonCodes.malformedPacket],
  ["retain handling 3", 5, "820700010000016130", reasonCodes.protocolError],
  [
    "shared and no local",
    5,
    "8210000100000a2473686172652f672f6104",
    reasonCodes.protocolError,
  ],
  ["UNSUBSCRIBE without filter", 5, "a203000100", reasonCodes.protocolError],
  ["AUTH in 3.1.1", 4, "f000", reasonCodes.malformedPacket],
  ["type 0", 4, "0000", reasonCodes.malformedPacket],
  ["unknown property", 5, "e00400027f00", reasonCodes.malformedPacket],
  ["property of another packet", 5, "e0050003230001", reasonCodes.malformedPacket],
  ["property twice", 5, "e00c000a11000000011100000001", reasonCodes.protocolError],
  ["property length in too many bytes", 5, "e00400800000", reasonCodes.malformedPacket],
  ["PUBACK with a code of DISCONNECT", 5, "400300018b", reasonCodes.protocolError],
  ["PUBCOMP with a code of PUBREC", 5, "7003000110", reasonCodes.protocolError],
  ["DISCONNECT with a code that does not exist", 5, "e00164", reasonCodes.protocolError],
  ["AUTH with a code of CONNACK", 5, "f0018c", reasonCodes.protocolError],
  ["flag of 2", 5, "20050000022502", reasonCodes.protocolError],
  ["maximum QoS 2", 5, "20050000022402", reasonCodes.protocolError],
  ["receive maximum 0", 5, "2006000003210000", reasonCodes.protocolError],
  ["properties past the packet", 5, "e0020005", reasonCodes.malformedPacket],
  ["property past the property length", 5, "e00700021100000001", reasonCodes.malformedPacket],
  ["data without method", 5, "f006180416000164", reasonCodes.protocolError],
  ["string that is not UTF-8", 5, "e00600041f0001ff", reasonCodes.malformedPacket],
  ["string with NUL", 5, "e00600041f000100", reasonCodes.malformedPacket],
];

for (const [name, version, hex, reasonCode] of wrong) {
  Deno.test(`refuses ${name}`, () => {
    const bytes = Uint8Array.fromHex(hex);
    assert.throws(
      () => readPacket(version, bytes[0]!, bytes, 2, bytes.length),
      (error) => {
        assert.ok(error instanceof ProtocolError, String(error));
        assert.equal(error.reasonCode, reasonCode, error.message);
        assert.match(error.message, /\[MQTT-[\d.]+(-\d+)?\]$/);
        return true;
      },
    );
  });
}

Deno.test("refuses to write what cannot be sent", () => {
  const cases: readonly Packet[] = [
    { ...publish, packetId: 0 },
    { ...publish, packetId: 65_536 },
    { ...publish, topic: "x".repeat(65_536) },
    { ...publish, properties: { reasonString: "only replies have one" } },
    { ...publish, properties: { messageExpiryIntervalS: -1 } },
  ];
  for (const packet of cases) assert.throws(() => encodePacket(packet, 5), RangeError);
});
