/**
 * What a message costs the generator, without sockets: rendering, and a publisher's whole share of
 * a message (rendering, window, acknowledgement, account, latency).
 *
 * @module
 */
import { packetTypes } from "../../gateways/mqtt/codec/packet_type.ts";
import { testPlan } from "../testing/test_plan.ts";
import { LoadBook } from "./load_book.ts";
import { PacketImage } from "./packet_image.ts";
import { Publisher } from "./publisher.ts";

const messages = 1_000;

{
  const image = new PacketImage(testPlan(), 7);
  const out = new Uint8Array(image.length * messages);
  let counter = 0;
  Deno.bench(`render ${messages} packets`, () => {
    let at = 0;
    for (let i = 0; i < messages; i++) at = image.write(out, at, counter++, i + 1, false);
  });
}

{
  const plan = testPlan();
  const images = Array.from({ length: 10 }, (_, device) => new PacketImage(plan, device));
  const publisher = new Publisher({
    clientId: "bench",
    plan,
    images,
    schedule: { allowed: () => Infinity, dueMs: (_k, nowMs) => nowMs },
    book: new LoadBook(images.length),
    window: messages,
    roomMin: 1,
  });
  publisher.connect({}, 0);
  publisher.received(Uint8Array.of(0x20, 2, 0, 0), 4, 0);
  const out = new Uint8Array(images[0]!.length * messages);
  const acks = new Uint8Array(4 * messages);
  let nowMs = 0;
  let sent = 0;
  Deno.bench(`publish ${messages} messages, QoS 1, and take their PUBACKs`, () => {
    publisher.fill(out, nowMs++);
    for (let i = 0; i < messages; i++, sent++) {
      const packetId = sent % 65_535 + 1;
      acks[i * 4] = packetTypes.puback << 4;
      acks[i * 4 + 1] = 2;
      acks[i * 4 + 2] = packetId >> 8;
      acks[i * 4 + 3] = packetId;
    }
    publisher.received(acks, acks.length, nowMs);
  });
}
