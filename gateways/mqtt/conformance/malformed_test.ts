/** Bytes that MQTT does not allow: they end their connection, MQTT 5 hears why, nobody else does. */
import assert from "node:assert/strict";
import { encodePacket } from "../codec/packet.ts";
import { connectOf, publishOf, SessionHarness } from "../endpoint/testing.ts";
import { bytesOf, framed, hasEnded, say } from "./testing.ts";

interface Case {
  readonly name: string;
  /** Bytes of each version, where the version has such a packet. */
  readonly v4?: Uint8Array;
  readonly v5?: Uint8Array;
  /** What MQTT 5 hears. */
  readonly code?: number;
}

const both = (bytes: Uint8Array) => ({ v4: bytes, v5: bytes });

async function endTheirConnection(cases: readonly Case[]): Promise<void> {
  for (const { name, code = 0x81, ...bytes } of cases) {
    for (const version of [4, 5] as const) {
      const sent = version === 4 ? bytes.v4 : bytes.v5;
      if (sent === undefined) continue;
      const harness = new SessionHarness();
      const other = await harness.connected({ clientId: "other" });
      const connection = await harness.connected({ version, clientId: "bad" });
      const answer = await say(connection, version, sent);
      const told = answer.map((packet) => packet.kind === "disconnect" && packet.reasonCode);
      assert.deepEqual(told, version === 5 ? [code] : [], `${name}, MQTT ${version}`);
      assert.ok(hasEnded(connection), `${name}, MQTT ${version}`);
      assert.deepEqual(await say(other, 4, bytesOf("c000")), [{ kind: "pingresp" }], name);
      assert.deepEqual(harness.ended.map(({ end }) => end), ["protocol_error"]);
    }
  }
}

// Shows 5: 2.1.3-1, 3.6.1-1, 3.8.1-1, 3.10.1-1, 3.14.1-1, 3.15.1-1, 3.14.4-1, 3.14.4-2; 3.1.1:
// 2.2.2-1, 2.2.2-2, 3.6.1-1, 3.8.1-1, 3.10.1-1, 3.14.1-1.
Deno.test("reserved flags of the fixed header", () =>
  endTheirConnection([
    { name: "PINGREQ", ...both(bytesOf("c100")) },
    { name: "PUBACK", ...both(bytesOf("41020001")) },
    { name: "PUBREL", ...both(bytesOf("60020001")) },
    { name: "SUBSCRIBE", v4: bytesOf("8006000100016100"), v5: bytesOf("800700010000016100") },
    { name: "UNSUBSCRIBE", v4: bytesOf("a0050001000161"), v5: bytesOf("a006000100000161") },
    { name: "DISCONNECT", ...both(bytesOf("e100")) },
    { name: "AUTH", v5: bytesOf("f10118") },
  ]));

// Shows 5: 1.5.4-1, 1.5.4-2, 3.3.2-1, 3.8.3-1, 3.10.3-1, 4.7.3-2; 3.1.1: 1.5.3-1, 1.5.3-2,
// 3.3.2-1, 3.8.3-1, 3.10.3-1, 4.7.3-2.
Deno.test("text that is not UTF-8, with half of a surrogate pair, or with U+0000", () =>
  endTheirConnection(["eda080", "00", "ff", "c0af", "f4908080"].flatMap((bad) => {
    const text = `00${(bad.length / 2).toString(16).padStart(2, "0")}${bad}`;
    return [
      { name: `topic ${bad}`, v4: framed(0x30, text), v5: framed(0x30, `${text}00`) },
      {
        name: `filter ${bad}`,
        v4: framed(0x82, `0001${text}00`),
        v5: framed(0x82, `000100${text}00`),
      },
      {
        name: `gone filter ${bad}`,
        v4: framed(0xa2, `0001${text}`),
        v5: framed(0xa2, `000100${text}`),
      },
    ];
  })));

// Shows 5: 1.5.7-1, 3.3.2-13, 3.3.2-19.
Deno.test("properties that are not UTF-8", () =>
  endTheirConnection([
    { name: "user property name", v5: framed(0x30, "0001'a' 07 26 0001ff 0001'v'") },
    { name: "user property value", v5: framed(0x30, "0001'a' 07 26 0001'k' 000100") },
    { name: "response topic", v5: framed(0x30, "0001'a' 04 08 0001ff") },
    { name: "content type", v5: framed(0x30, "0001'a' 04 03 000100") },
  ]));

// Shows 5: 1.5.5-1, 2.2.2-1.
Deno.test("lengths in too many bytes, and properties that are missing or longer than the packet", () =>
  endTheirConnection([
    { name: "remaining length", v5: bytesOf("c08000") },
    { name: "property length", v5: bytesOf("e00400800000") },
    { name: "no property length", v5: framed(0x30, "0001'a'") },
    { name: "too long a property length", v5: framed(0x30, "0001'a' 05 0100") },
    { name: "five bytes", ...both(bytesOf("30ffffffff7f")) },
  ]));

// Shows 5: 3.3.1-2, 3.3.1-4, 3.3.2-2, 3.3.2-8, 3.3.2-14, 3.3.4-6, 4.7.0-1, 4.7.3-1; 3.1.1: 2.3.1-1,
// 3.3.1-2, 3.3.1-4, 3.3.2-2, 4.7.1-1, 4.7.3-1.
Deno.test("PUBLISH that a client must not send", () =>
  endTheirConnection([
    { name: "QoS 3", v4: framed(0x36, "0001'a' 0001"), v5: framed(0x36, "0001'a' 0001 00") },
    { name: "DUP with QoS 0", v4: framed(0x38, "0001'a'"), v5: framed(0x38, "0001'a' 00") },
    { name: "identifier 0", v4: framed(0x32, "0001'a' 0000"), v5: framed(0x32, "0001'a' 0000 00") },
    { name: "+", v4: framed(0x30, "0003'a/+'"), v5: framed(0x30, "0003'a/+' 00"), code: 0x90 },
    { name: "#", v4: framed(0x30, "0001'#'"), v5: framed(0x30, "0001'#' 00"), code: 0x90 },
    { name: "no topic, MQTT 3", v4: framed(0x30, "0000") },
    { name: "no topic, no alias", v5: framed(0x30, "0000 00"), code: 0x82 },
    { name: "alias 0", v5: framed(0x30, "0001'a' 03 230000"), code: 0x94 },
    { name: "alias above the maximum", v5: framed(0x30, "0001'a' 03 230011"), code: 0x94 },
    { name: "alias never set", v5: framed(0x30, "0000 03 230001"), code: 0x82 },
    { name: "wildcard to answer to", v5: framed(0x30, "0001'a' 06 08 0003'b/#'"), code: 0x82 },
    { name: "subscription identifier", v5: framed(0x30, "0001'a' 02 0b01"), code: 0x82 },
    { name: "expiry twice", v5: framed(0x30, "0001'a' 0a 0200000001 0200000001"), code: 0x82 },
    { name: "property of CONNECT", v5: framed(0x30, "0001'a' 05 1100000001") },
  ]));

// Shows 5: 3.8.3-2, 3.8.3-4, 3.8.3-5, 3.10.3-2; 3.1.1: 3.8.3-3, 3.8.3-4, 3.10.3-2.
Deno.test("SUBSCRIBE and UNSUBSCRIBE that a client must not send", () =>
  endTheirConnection([
    { name: "no filter", v4: framed(0x82, "0001"), v5: framed(0x82, "0001 00"), code: 0x82 },
    { name: "gone: none", v4: framed(0xa2, "0001"), v5: framed(0xa2, "0001 00"), code: 0x82 },
    { name: "QoS 3", v4: framed(0x82, "0001 0001'a' 03"), v5: framed(0x82, "0001 00 0001'a' 03") },
    {
      name: "reserved",
      v4: framed(0x82, "0001 0001'a' 04"),
      v5: framed(0x82, "0001 00 0001'a' 40"),
    },
    { name: "no local, shared", v5: framed(0x82, "0001 00 000a'$share/g/a' 04"), code: 0x82 },
    { name: "retain handling 3", v5: framed(0x82, "0001 00 0001'a' 30"), code: 0x82 },
    { name: "identifier 0", v5: framed(0x82, "0001 02 0b00 0001'a' 00"), code: 0x82 },
    { name: "two identifiers", v5: framed(0x82, "0001 04 0b01 0b02 0001'a' 00"), code: 0x82 },
  ]));

// Shows 5: 3.4.2-1, 3.5.2-1, 3.6.2-1, 3.7.2-1, 3.14.2-1, 3.15.2-1, 4.12.1-2.
Deno.test("reason codes of another packet, and AUTH without a method", () =>
  endTheirConnection([
    { name: "PUBACK", v5: bytesOf("4003000193"), code: 0x82 },
    { name: "PUBREC", v5: bytesOf("5003000192"), code: 0x82 },
    { name: "PUBREL", v5: bytesOf("6203000110"), code: 0x82 },
    { name: "PUBCOMP", v5: bytesOf("7003000110"), code: 0x82 },
    { name: "DISCONNECT", v5: bytesOf("e00102"), code: 0x82 },
    { name: "AUTH", v5: bytesOf("f00187"), code: 0x82 },
    { name: "AUTH to authenticate again", v5: bytesOf("f00119"), code: 0x82 },
  ]));

// Shows 5: 3.1.0-2, 3.2.0-2; 3.1.1: 3.1.0-2.
Deno.test("a second CONNECT, and packets that only servers send", () =>
  endTheirConnection([
    {
      name: "CONNECT",
      v4: encodePacket(connectOf({ version: 4 }), 4),
      v5: encodePacket(connectOf({ version: 5 }), 5),
      code: 0x82,
    },
    { name: "CONNACK", v4: bytesOf("20020000"), v5: bytesOf("2003000000"), code: 0x82 },
    { name: "SUBACK", v4: bytesOf("9003000100"), v5: bytesOf("900400010000"), code: 0x82 },
    { name: "PINGRESP", ...both(bytesOf("d000")), code: 0x82 },
  ]));

// Shows 5: 1.5.4-3, 4.7.3-4, 2.2.1-2; 3.1.1: 1.5.3-3, 4.7.3-4, 2.3.1-5.
Deno.test("text is taken as it comes: a byte order mark stays, nothing is normalized", async () => {
  for (const version of [4, 5] as const) {
    const harness = new SessionHarness();
    const connection = await harness.connected({ version });
    const composed = "caf\u00e9";
    const decomposed = "cafe\u0301";
    const marked = "\ufeffcaf\u00e9";
    const filter = new TextEncoder().encode(composed);
    const body = [0, 1, ...(version === 5 ? [0] : []), 0, filter.length, ...filter, 0];
    await say(connection, version, Uint8Array.of(0x82, body.length, ...body));
    const answers = await say(
      connection,
      version,
      ...[decomposed, marked, composed].map((topic) => publishOf({ topic, qos: 0 })),
    );
    assert.deepEqual(answers.map((packet) => packet.kind === "publish" && packet.topic), [
      composed,
    ]);
    assert.deepEqual(harness.intake.taken.map(({ topic }) => topic).at(0), decomposed);
  }
});
