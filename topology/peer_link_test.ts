import assert from "node:assert/strict";
import { IntakeHub } from "../actors/intake_hub.ts";
import { offerFlags, type Origin, type Rejection } from "../actors/intake.ts";
import { Ledger } from "../actors/ledger.ts";
import type { OwnedBatch } from "../actors/owned_batch.ts";
import { flags } from "../actors/readings_frame.ts";
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
  const hubTo = (link: () => PeerLink) =>
    new IntakeHub({
      shards: 1,
      topics,
      ledger: new Ledger(),
      laneBytes: 4 << 20,
      payloadBytesMax: 4 << 20,
      now: () => 1,
      defer: (run) => run(),
      transmit: (_owner, ackLevel, batch) => link().transmit(ackLevel, batch),
    });
  const hub = hubTo(() => near);
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
  const far: PeerLink = new PeerLink({
    shard: 0,
    hub: hubTo(() => far),
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
  const offer = (sequence: number, payload = '{"BAT":1}') => {
    const bytes = new TextEncoder().encode(`UPB/RPi_1${payload}`);
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
  const deadlineMs = performance.now() + 60_000;
  while (!what() && performance.now() < deadlineMs) {
    await new Promise<void>((done) => setTimeout(done, 1));
  }
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

Deno.test("what was taken from a shard that died is not settled with its successor", async () => {
  const { hub, received, settled, connect, offer } = pair();
  hub.ownerLost(0);
  const first = connect();
  offer(1);
  hub.flush();
  await arrived(() => received.length === 1);
  for (const link of first) link.close("the shard died");
  const second = connect();
  await arrived(() => received.length === 2);
  for (const batch of received) {
    batch.pending = 0;
    batch.waits = 1;
  }
  received[0]!.complete();
  await new Promise<void>((done) => setTimeout(done, 20));
  assert.equal(settled.size, 0);
  received[1]!.complete();
  await arrived(() => settled.size === 1);
  for (const link of second) link.close("done");
});

Deno.test("a payload larger than a link's largest buffer goes over", async () => {
  const { hub, received, connect, offer } = pair();
  hub.ownerLost(0);
  const links = connect();
  const large = `{"BAT":${"1".repeat(3 << 20)}}`;
  assert.equal(offer(1, large), "accepted");
  offer(2);
  hub.flush();
  await arrived(() => received.length === 2);
  assert.equal(received[0]!.data.length, large.length + 9);
  assert.equal(received[1]!.frame.count, 1);
  for (const link of links) link.close("done");
});

Deno.test("what gathers while the owner is away goes over in frames, and not as duplicates", async () => {
  const { hub, received, settled, connect, offer } = pair();
  hub.ownerLost(0);
  const payload = `{"BAT":${"1".repeat(1_000)}}`;
  for (let i = 0; i < 3_000; i++) assert.equal(offer(i, payload), "accepted");
  const links = connect();
  await arrived(() => received.reduce((sum, { frame }) => sum + frame.count, 0) === 3_000);
  for (const batch of received) {
    assert.ok(batch.data.length < 70_000);
    assert.equal(flags(batch.frame, 0) & offerFlags.dup, 0);
    batch.pending = 0;
    batch.waits = 1;
    batch.complete();
  }
  await arrived(() => settled.size === 3_000);
  for (const link of links) link.close("done");
});
