import assert from "node:assert/strict";
import { IntakeHub } from "../actors/intake_hub.ts";
import type { Origin, Rejection } from "../actors/intake.ts";
import { Ledger } from "../actors/ledger.ts";
import type { OwnedBatch } from "../actors/owned_batch.ts";
import { compileRoutes } from "../actors/route_table.ts";
import { TopicTable } from "../actors/topic_table.ts";
import { DeadLetters } from "../runtime/dead_letters.ts";
import { Link } from "../runtime/remote_link.ts";
import { PublishedNames } from "../runtime/remote_names.ts";
import { PeerLink } from "./peer_link.ts";

/** Two shards and the link between them; shard 0 offers, shard 1 owns everything. */
function pair() {
  const received: OwnedBatch[] = [];
  const settled = new Map<number, Rejection | undefined>();
  const origin: Origin = {
    transport: "mqtt",
    originHash: 1,
    settled: (sequence, rejection) => settled.set(sequence, rejection),
    settledEnd() {},
    resume() {},
  };
  const topics = new TopicTable(compileRoutes([]), { gatewayId: "g", hashSeed: 1 });
  const hub = new IntakeHub({
    shards: 1,
    topics,
    ledger: new Ledger(),
    laneBytes: 1 << 20,
    payloadBytesMax: 1_000,
    now: () => 1,
    defer: (run) => run(),
    transmit: (_owner, ackLevel, batch) => near.transmit(ackLevel, batch),
  });
  const malformed = (cause: unknown) => {
    throw cause;
  };
  const near: PeerLink = new PeerLink({
    shard: 0, // The hub knows one owner, which here is the far side.
    hub,
    ingest: malformed,
    settled() {},
    malformed,
  });
  const far = new PeerLink({
    shard: 0,
    hub,
    ingest: (batch) => received.push(batch),
    settled() {},
    malformed,
  });
  const connect = () => {
    const { port1, port2 } = new MessageChannel();
    const options = { names: new PublishedNames(), deadLetters: new DeadLetters() };
    const links = [
      new Link(port1, { ...options, peer: "far", broken: malformed }),
      new Link(port2, { ...options, peer: "near", broken: malformed }),
    ] as const;
    far.linked(links[1]);
    near.linked(links[0]);
    return links;
  };
  const offer = (sequence: number) => {
    const bytes = new TextEncoder().encode('UPB/RPi_1{"BAT":1}');
    return hub.offer(origin, {
      bytes,
      topicStart: 0,
      topicEnd: 9,
      payloadStart: 9,
      payloadEnd: bytes.length,
      flags: 1,
      packetId: 1,
      sequence,
    });
  };
  return { hub, received, settled, connect, offer };
}

async function arrived(what: () => boolean): Promise<void> {
  for (let i = 0; i < 1_000 && !what(); i++) await new Promise<void>((done) => setTimeout(done, 1));
  assert.ok(what());
}

Deno.test("a batch goes over, and its settlement with its rejections comes back", async () => {
  const { hub, received, settled, connect, offer } = pair();
  hub.ownerLost(0);
  const links = connect();
  offer(7);
  offer(8);
  hub.flush();
  await arrived(() => received.length === 1);
  const batch = received[0]!;
  assert.equal(batch.frame.count, 2);
  batch.pending = 0;
  batch.waits = 1;
  batch.rejected.push({ index: 1, outcome: "dead_lettered", reason: "bad", detail: "why" });
  batch.complete();
  await arrived(() => settled.size === 2);
  assert.equal(settled.get(7), undefined);
  assert.equal(settled.get(8)?.reason, "bad");
  for (const link of links) link.close("done");
});

Deno.test("what the lost side had not settled is sent again over the next link", async () => {
  const { hub, received, settled, connect, offer } = pair();
  hub.ownerLost(0);
  const first = connect();
  offer(1);
  hub.flush();
  await arrived(() => received.length === 1);
  for (const link of first) link.close("the shard died");
  offer(2);
  hub.flush();
  const second = connect();
  await arrived(() => received.length === 3);
  for (const batch of received.slice(1)) {
    batch.pending = 0;
    batch.waits = 1;
    batch.complete();
  }
  await arrived(() => settled.size === 2);
  assert.equal(hub.readings, 0);
  for (const link of second) link.close("done");
});
