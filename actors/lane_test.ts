import assert from "node:assert/strict";
import fc from "fast-check";
import type { Offer, Origin, Rejection } from "./intake.ts";
import { Lane, type SentBatch } from "./lane.ts";
import { flags } from "./readings_frame.ts";
import { compileRoutes } from "./route_table.ts";
import { TopicTable } from "./topic_table.ts";

class RecordingOrigin implements Origin {
  readonly transport = "mqtt";
  readonly originHash = 1;
  readonly settledSequences: number[] = [];
  readonly rejections = new Map<number, Rejection>();
  runs = 0;
  resumed = 0;
  settled(sequence: number, rejection: Rejection | undefined): void {
    this.settledSequences.push(sequence);
    if (rejection !== undefined) this.rejections.set(sequence, rejection);
  }
  settledEnd(): void {
    this.runs++;
  }
  resume(): void {
    this.resumed++;
  }
}

const bytes = new TextEncoder().encode('a/b{"x":1}');
const route = { name: "all", topic: "{a}/{b}", measurement: "all" };
const topics = new TopicTable(compileRoutes([route]), { gatewayId: "g", hashSeed: 1 });
const found = topics.lookup(bytes, 0, 3);
assert.ok(found.kind === "topic");
const entry = found;
const offerOf = (sequence: number): Offer => ({
  bytes,
  topicStart: 0,
  topicEnd: 3,
  payloadStart: 3,
  payloadEnd: bytes.length,
  flags: 1,
  packetId: sequence,
  sequence,
});

function laneWith(creditBytes: number, frameCountMax = 4): { lane: Lane; sent: SentBatch[] } {
  const sent: SentBatch[] = [];
  const lane = new Lane({
    creditBytes,
    frameBytesMax: 64 * 1024,
    frameCountMax,
    now: () => 5,
    transmit: (batch) => sent.push(batch),
  });
  return { lane, sent };
}

Deno.test("what was accepted is settled exactly once, in whatever order batches come back", () => {
  const action = fc.oneof(
    fc.constant("offer" as const),
    fc.constant("flush" as const),
    fc.nat({ max: 20 }),
    fc.constant("lost" as const),
  );
  fc.assert(fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
    const { lane, sent } = laneWith(4_000);
    const origin = new RecordingOrigin();
    let accepted = 0;
    for (const a of actions) {
      if (a === "offer") {
        if (lane.offer(origin, offerOf(accepted), 0x10000, entry)) accepted++;
        else assert.ok(lane.usedBytes >= 4_000);
      } else if (a === "flush") lane.flush();
      else if (a === "lost") {
        lane.suspend();
        sent.length = 0;
        lane.resend();
      } else if (sent.length > 0) {
        const [batch] = sent.splice(a % sent.length, 1);
        lane.settle(batch!.id, []);
        lane.settle(batch!.id, []);
      }
    }
    lane.flush();
    for (const batch of sent.splice(0)) lane.settle(batch.id, []);
    const expected = Array.from({ length: accepted }, (_, i) => i);
    assert.deepEqual(origin.settledSequences.sort((x, y) => x - y), expected);
    assert.equal(lane.usedBytes, 0);
  }));
});

Deno.test("an origin that found the lane full is told to go on when half the credit is back", () => {
  const { lane, sent } = laneWith(1_200);
  const origin = new RecordingOrigin();
  let sequence = 0;
  while (lane.offer(origin, offerOf(sequence), 0x10000, entry)) sequence++;
  lane.flush();
  assert.equal(origin.resumed, 0);
  for (const batch of sent) lane.settle(batch.id, []);
  assert.equal(origin.resumed, 1);
});

Deno.test("a rejection reaches the reading it names, and a resent frame says so", () => {
  const { lane, sent } = laneWith(10_000);
  const origin = new RecordingOrigin();
  for (let i = 0; i < 4; i++) lane.offer(origin, offerOf(i), 0x10000 | i, entry);
  lane.suspend();
  lane.resend();
  assert.equal(sent.length, 2);
  assert.equal(flags(sent[1]!.frame, 0), 0b101);
  lane.settle(sent[1]!.id, [{ index: 2, outcome: "dead_lettered", reason: "bad_json" }]);
  assert.deepEqual([...origin.rejections.keys()], [2]);
  assert.equal(origin.runs, 1);
});
