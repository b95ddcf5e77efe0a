/**
 * Reading 64 KiB of QoS 1 PUBLISH packets with 91-byte payloads, against mqtt-packet.
 *
 * Deno 2.9.6, one of two shared cores: 50 ns a packet, its PUBACK written, against 1,050 ns.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { parser } from "mqtt-packet";
import { writeAcknowledged } from "./acknowledgement.ts";
import { noProperties } from "./properties.ts";
import { writePublish } from "./publish.ts";
import { PacketScanner } from "./scanner.ts";
import { PacketWriter } from "./writer.ts";

const payload = new Uint8Array(91).fill(0x61);

function publishes(count: number): Uint8Array {
  const writer = new PacketWriter();
  for (let packetId = 1; packetId <= count; packetId++) {
    writePublish(writer, {
      kind: "publish",
      topic: `device/d${packetId}`,
      payload,
      qos: 1,
      dup: false,
      retain: false,
      packetId,
      properties: noProperties,
    }, 4);
  }
  return writer.bytes.slice(0, writer.length);
}

const count = 500;
const bytes = publishes(count);
let payloadBytes = 0;
const acks = new PacketWriter(4 * count);

const scanner = new PacketScanner("server", {
  publish(view) {
    payloadBytes += view.payloadEnd - view.payloadStart;
    writeAcknowledged(acks, "puback", view.packetId);
    return true;
  },
  acknowledged: () => true,
  packet: () => true,
}, { version: 4, packetBytesMax: 1 << 20 });

const oracle = parser({ protocolVersion: 4 });
oracle.on("packet", (packet) => {
  if (packet.cmd === "publish") payloadBytes += packet.payload.length;
});

Deno.bench(
  `own scanner: ${count} PUBLISH, PUBACKs written`,
  { group: "read", baseline: true },
  () => {
    acks.length = 0;
    scanner.scan(bytes, 0, bytes.length);
  },
);

const buffer = Buffer.from(bytes);
Deno.bench(`mqtt-packet: ${count} PUBLISH`, { group: "read" }, () => {
  oracle.parse(buffer);
});
