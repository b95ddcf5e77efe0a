import assert from "node:assert/strict";
import fc from "fast-check";
import { packetTypes } from "../../gateways/mqtt/codec/packet_type.ts";
import type { Publish } from "../../gateways/mqtt/codec/publish.ts";
import { PublishView } from "../../gateways/mqtt/codec/publish.ts";
import { testPlan } from "../testing/test_plan.ts";
import { LoadBook } from "./load_book.ts";
import { type MessagePlan, PacketImage } from "./packet_image.ts";
import { Publisher, type Schedule } from "./publisher.ts";
import { Refused } from "./refused.ts";

const always: Schedule = { allowed: () => Infinity, dueMs: (_k, nowMs) => nowMs };
const upTo = (count: number): Schedule => ({ ...always, allowed: () => count });

function make(
  options: {
    readonly plan?: Partial<MessagePlan>;
    readonly devices?: number;
    readonly window?: number;
    readonly roomMin?: number;
    readonly schedule?: Schedule;
  } = {},
): { readonly publisher: Publisher; readonly book: LoadBook } {
  const { devices = 1, window = 4, roomMin = 1, schedule = always } = options;
  const plan = testPlan(options.plan);
  const book = new LoadBook(devices);
  const images = Array.from({ length: devices }, (_, device) => new PacketImage(plan, device));
  const publisher = new Publisher({ clientId: "c", plan, images, schedule, book, window, roomMin });
  publisher.connect({}, 0);
  return { publisher, book };
}

function receive(publisher: Publisher, bytes: readonly number[], nowMs = 0): void {
  assert.equal(publisher.received(Uint8Array.from(bytes), bytes.length, nowMs), bytes.length);
}

const connack = [0x20, 2, 0, 0];
const ack = (type: keyof typeof packetTypes, packetId: number) => [
  (packetTypes[type] << 4) | (type === "pubrel" ? 2 : 0),
  2,
  packetId >> 8,
  packetId & 0xff,
];

/** What a write holds: each PUBLISH, and other packets by their type and identifier. */
function written(publisher: Publisher, nowMs = 0, size = 1_024): (Publish | string)[] {
  const out = new Uint8Array(size);
  const length = publisher.fill(out, nowMs);
  const found: (Publish | string)[] = [];
  for (let at = 0; at < length;) {
    const end = at + 2 + out[at + 1]!;
    const type = out[at]! >> 4;
    if (type === packetTypes.publish) {
      const view = new PublishView();
      view.read(4, out[at]! & 0x0f, out, at + 2, end);
      found.push(view.copy());
    } else {
      const name = Object.entries(packetTypes).find(([, value]) => value === type)?.[0];
      found.push(`${name} ${end - at > 2 ? (out[at + 2]! << 8) | out[at + 3]! : ""}`.trim());
    }
    at = end;
  }
  return found;
}

const brief = (packets: readonly (Publish | string)[]) =>
  packets.map((one) => {
    if (typeof one === "string") return one;
    const { seq } = JSON.parse(new TextDecoder().decode(one.payload));
    return `${one.topic} ${seq - 1e9} id ${one.packetId}${one.dup ? " dup" : ""}`;
  });

Deno.test("publisher: nothing before CONNACK, then a window full, then one for each PUBACK", () => {
  const { publisher, book } = make({ devices: 2, window: 3 });
  assert.deepEqual(written(publisher), []);
  receive(publisher, connack);
  assert.deepEqual(brief(written(publisher)), [
    "bench/d0 0 id 1",
    "bench/d1 0 id 2",
    "bench/d0 1 id 3",
  ]);
  assert.deepEqual(written(publisher), []);
  receive(publisher, [...ack("puback", 2), ...ack("puback", 1)], 5);
  assert.deepEqual(brief(written(publisher)), ["bench/d1 1 id 4", "bench/d0 2 id 5"]);
  assert.equal(book.totals.acknowledged, 2);
  assert.deepEqual(book.acknowledgedRuns.take(), [[0, 0, 1], [1, 0, 1]]);
  assert.equal(book.sinceSent.summary().max, 5);
});

Deno.test("publisher: waits for room worth a write, and needs none when nothing is in flight", () => {
  const { publisher } = make({ window: 4, roomMin: 3, schedule: upTo(5) });
  receive(publisher, connack);
  assert.equal(written(publisher).length, 4);
  receive(publisher, [...ack("puback", 1), ...ack("puback", 2)]);
  assert.deepEqual(written(publisher), []);
  receive(publisher, ack("puback", 3));
  assert.deepEqual(brief(written(publisher)), ["bench/d0 4 id 5"]);
});

Deno.test("publisher: one write holds as many messages as fit", () => {
  const { publisher } = make({ window: 100 });
  receive(publisher, connack);
  const length = new PacketImage(testPlan(), 0).length;
  assert.equal(written(publisher, 0, length * 3 + length - 1).length, 3);
});

Deno.test("publisher: latency counts from when a message was due, and from when it was sent", () => {
  const { publisher, book } = make({ schedule: { allowed: () => 1, dueMs: () => 10 } });
  receive(publisher, connack);
  written(publisher, 30);
  receive(publisher, ack("puback", 1), 34);
  assert.equal(book.sinceDue.summary().max, 24);
  assert.equal(book.sinceSent.summary().max, 4);
});

Deno.test("publisher: after a break the same messages again, in order, with DUP and their ids", () => {
  const { publisher, book } = make({ window: 4, schedule: upTo(5) });
  receive(publisher, connack);
  written(publisher);
  receive(publisher, ack("puback", 2));
  publisher.connect({}, 0);
  assert.deepEqual(written(publisher), []);
  receive(publisher, connack);
  assert.deepEqual(brief(written(publisher)), [
    "bench/d0 0 id 1 dup",
    "bench/d0 2 id 3 dup",
    "bench/d0 3 id 4 dup",
  ]);
  assert.equal(book.totals.resent, 3);
  receive(publisher, ack("puback", 1));
  assert.deepEqual(brief(written(publisher)), ["bench/d0 4 id 5"]);
  assert.equal(book.totals.sent, 5);
});

Deno.test("publisher: a break amid the repeats begins them anew", () => {
  const { publisher } = make({ window: 3, schedule: upTo(3) });
  receive(publisher, connack);
  written(publisher);
  publisher.connect({}, 0);
  receive(publisher, connack);
  const length = new PacketImage(testPlan(), 0).length;
  assert.deepEqual(brief(written(publisher, 0, length)), ["bench/d0 0 id 1 dup"]);
  publisher.connect({}, 0);
  receive(publisher, connack);
  assert.deepEqual(brief(written(publisher)), [
    "bench/d0 0 id 1 dup",
    "bench/d0 1 id 2 dup",
    "bench/d0 2 id 3 dup",
  ]);
});

Deno.test("publisher: QoS 2 counts at PUBREC, ends at PUBCOMP, and repeats what is due", () => {
  const { publisher, book } = make({ plan: { qos: 2 }, window: 3, schedule: upTo(4) });
  receive(publisher, connack);
  written(publisher);
  receive(publisher, [...ack("pubrec", 1), ...ack("pubrec", 2), ...ack("pubrec", 1)]);
  assert.equal(book.totals.acknowledged, 2);
  assert.deepEqual(brief(written(publisher)), ["pubrel 1", "pubrel 2", "pubrel 1"]);
  receive(publisher, ack("pubcomp", 1));
  assert.deepEqual(brief(written(publisher)), ["bench/d0 3 id 4"]);
  publisher.connect({}, 0);
  receive(publisher, connack);
  assert.deepEqual(brief(written(publisher)), [
    "pubrel 2",
    "bench/d0 2 id 3 dup",
    "bench/d0 3 id 4 dup",
  ]);
  assert.equal(book.totals.acknowledged, 2);
});

Deno.test("publisher: QoS 0 counts once it is written", () => {
  const { publisher, book } = make({ plan: { qos: 0 }, window: 1, schedule: upTo(3) });
  receive(publisher, connack);
  assert.equal(written(publisher).length, 3);
  assert.equal(publisher.inFlight, 0);
  assert.equal(book.totals.acknowledged, 0);
  publisher.written(0, 3, 1);
  assert.equal(book.totals.acknowledged, 3);
  assert.deepEqual(book.acknowledgedRuns.take(), [[0, 0, 3]]);
});

Deno.test("publisher, MQTT 5: receive maximum narrows the window; failure codes are no yes", () => {
  const { publisher, book } = make({ plan: { version: 5 }, window: 4 });
  receive(publisher, [0x20, 6, 0, 0, 3, 0x21, 0, 2]); // Receive Maximum 2.
  const out = new Uint8Array(1_024);
  const length = publisher.fill(out, 0);
  assert.equal(length, 2 * new PacketImage(testPlan({ version: 5 }), 0).length);
  receive(publisher, [0x40, 3, 0, 1, 0x99, 0x40, 3, 0, 2, 0x10]);
  assert.equal(book.totals.rejected, 1);
  assert.equal(book.totals.acknowledged, 1);
  assert.equal(publisher.inFlight, 0);
  assert.deepEqual([...book.reasons], [["payloadFormatInvalid", 1], ["noMatchingSubscribers", 1]]);
});

Deno.test("publisher: an acknowledgement of nothing is counted, and harmless", () => {
  const { publisher, book } = make();
  receive(publisher, connack);
  written(publisher);
  receive(publisher, [...ack("puback", 1), ...ack("puback", 1), ...ack("puback", 9_999)]);
  assert.equal(book.totals.strayAcknowledgements, 2);
  assert.equal(book.totals.acknowledged, 1);
});

Deno.test("publisher: keep-alive and control packets survive a buffer that is too small", () => {
  const { publisher } = make({ plan: { qos: 2 }, window: 3, schedule: upTo(3) });
  receive(publisher, connack);
  written(publisher);
  receive(publisher, [...ack("pubrec", 1), ...ack("pubrec", 2)]);
  publisher.ping();
  const bytes: number[] = [];
  for (const out = new Uint8Array(3);;) {
    const length = publisher.fill(out, 0);
    if (length === 0) break;
    bytes.push(...out.subarray(0, length));
  }
  assert.deepEqual(bytes, [...ack("pubrel", 1), ...ack("pubrel", 2), 0xc0, 0]);
});

Deno.test("publisher: a server that says no", () => {
  const cases: readonly (readonly [version: 4 | 5, bytes: number[], retryable: boolean])[] = [
    [4, [0x20, 2, 0, 3], true],
    [4, [0x20, 2, 0, 5], false],
    [5, [0x20, 3, 0, 0x89, 0], true],
    [5, [0x20, 3, 0, 0x87, 0], false],
    [5, [0xe0, 1, 0x8b], true],
  ];
  for (const [version, bytes, retryable] of cases) {
    const { publisher } = make({ plan: { version } });
    assert.throws(() => receive(publisher, bytes), (error: unknown) => {
      assert.ok(error instanceof Refused);
      assert.equal(error.retryable, retryable);
      return true;
    });
    assert.equal(publisher.connected, false);
  }
});

Deno.test("publisher: what only a subscriber is sent ends the connection", () => {
  for (const bytes of [[0x30, 3, 0, 1, 0x61], [0x90, 3, 0, 1, 0]]) {
    const { publisher } = make();
    receive(publisher, connack);
    assert.throws(() => receive(publisher, bytes), { name: "ProtocolError" });
  }
});

Deno.test("publisher: whatever breaks, every message arrives and is counted once", () => {
  const steps = fc.array(fc.constantFrom("write", "answer", "break", "reorder"), { maxLength: 60 });
  const qos = fc.constantFrom<1 | 2>(1, 2);
  fc.assert(fc.property(steps, qos, fc.integer({ min: 1, max: 5 }), (list, qos, window) => {
    const count = 12;
    const { publisher, book } = make({
      plan: { qos },
      devices: 3,
      window,
      schedule: upTo(count),
    });
    const arrived = new Set<string>();
    let answers: number[][] = [];
    const write = () => {
      for (const one of written(publisher)) {
        if (typeof one === "string") {
          answers.push(ack("pubcomp", Number(one.split(" ")[1])));
        } else {
          arrived.add(brief([one])[0]!.replace(/ id.*/, ""));
          answers.push(ack(qos === 1 ? "puback" : "pubrec", one.packetId));
        }
      }
    };
    receive(publisher, connack);
    for (const step of list) {
      if (step === "write") write();
      else if (step === "reorder") answers.reverse();
      else if (step === "answer") receive(publisher, answers.shift() ?? []);
      else {
        answers = [];
        publisher.connect({}, 0);
        receive(publisher, connack);
      }
    }
    for (let i = 0; i < count * 3; i++) {
      write();
      receive(publisher, answers.flat());
      answers = [];
    }
    assert.equal(arrived.size, count);
    assert.equal(publisher.sent, count);
    assert.equal(publisher.inFlight, 0);
    assert.equal(book.totals.acknowledged, count);
    const runs = book.acknowledgedRuns.take();
    assert.equal(runs.reduce((sum, [, from, to]) => sum + to - from, 0), count);
  }));
});
