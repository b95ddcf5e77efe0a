import assert from "node:assert/strict";
import { blankOffer, type Origin } from "./intake.ts";
import { IntakeHub } from "./intake_hub.ts";
import { Ledger } from "./ledger.ts";
import { compileRoutes } from "./route_table.ts";
import { Stalls, stallsMemory } from "./spool/stalls.ts";
import { TopicTable } from "./topic_table.ts";

Deno.test("who can refuse is told that its owner's spool takes nothing; others use the lane's credit", () => {
  const memory = stallsMemory(2);
  const shards = new Stalls(memory);
  const stalls = new Stalls(memory);
  let sent = 0;
  const hub = new IntakeHub({
    shards: 1,
    topics: new TopicTable(compileRoutes([], { ackLevel: "spooled" }), {
      gatewayId: "g",
      hashSeed: 7,
    }),
    ledger: new Ledger(),
    laneBytes: 1 << 20,
    payloadBytesMax: 1_000,
    now: () => 1,
    defer: (run) => run(),
    transmit: () => sent++,
    stalled: (owner) => stalls.has(owner),
  });
  let told = 0;
  const waits: Origin = {
    transport: "http",
    originHash: 0,
    settled() {},
    settledEnd() {},
    resume() {},
  };
  const refuses: Origin = { ...waits, ownerStalled: () => void told++ };
  const bytes = new TextEncoder().encode('a/b{"x":1}');
  const offer = { ...blankOffer(), bytes, topicEnd: 3, payloadStart: 3, payloadEnd: bytes.length };

  shards.set(1, true);
  assert.ok(stalls.any);
  assert.equal(hub.offer(refuses, offer), "accepted", "another shard's spool is not its owner's");
  shards.set(0, true);
  assert.equal(hub.offer(refuses, offer), "full");
  assert.equal(hub.offer(waits, offer), "accepted");
  assert.equal(told, 1);
  shards.set(0, false);
  assert.equal(hub.offer(refuses, offer), "accepted");
  hub.flush();
  assert.equal(sent, 1);
  shards.set(1, false);
  assert.ok(!stalls.any);
});
