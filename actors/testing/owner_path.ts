/**
 * For tests: the owner's side of a shard, from the intake to a commit group that is committed, and
 * stored, by hand.
 *
 * @module
 */
import assert from "node:assert/strict";
import { TestSystem } from "../../runtime/testing/test_system.ts";
import type { Letter } from "../dead_letters/letter.ts";
import { Device } from "../device.ts";
import { Ingest, type IngestMessage } from "../ingest.ts";
import {
  type Offer,
  offerFlags,
  type OfferResult,
  type Origin,
  type Rejection,
} from "../intake.ts";
import { IntakeHub } from "../intake_hub.ts";
import { Ledger } from "../ledger.ts";
import { Outlet } from "../outlet.ts";
import { OwnedBatch, type OwnedReading } from "../owned_batch.ts";
import { compileRoutes } from "../route_table.ts";
import { CommitGroup } from "../spool/commit_group.ts";
import { TopicTable } from "../topic_table.ts";
import { deviceTools } from "./readings.ts";

const qos1 = 1;
const utf8 = new TextEncoder();

/** One shard's path up to the open commit group, which the test commits by hand. */
export class OwnerPath {
  readonly system = new TestSystem();
  readonly ledger = new Ledger();
  readonly group = new CommitGroup();
  readonly letters: Letter[] = [];
  readonly hub: IntakeHub;
  readonly commitsAsked: ("now" | "soon")[] = [];

  constructor(
    options: {
      deviceMailMax?: number;
      laneBytes?: number;
      ack?: "spooled" | "stored";
      linesBytesMax?: number;
    } = {},
  ) {
    const topics = new TopicTable(compileRoutes([], { ackLevel: options.ack ?? "spooled" }), {
      gatewayId: "g",
      hashSeed: 7,
    });
    const outlet = new Outlet({
      group: this.group,
      ledger: this.ledger,
      deadLetter: (letter) => this.letters.push(letter),
      requestCommit: (when) => this.commitsAsked.push(when),
      recoveredStored: () => false,
    });
    const tools = { ...deviceTools(), payloadBytesMax: 1_000 };
    const devices = this.system.spawnKeyed<OwnedReading>({
      id: "devices",
      kind: "device",
      mailbox: { countMax: options.deviceMailMax ?? 100 },
      start: (id) => {
        const device = new Device(id, tools);
        return { receive: (reading) => device.take(reading, outlet) };
      },
    });
    const ingest = this.system.spawn<IngestMessage>({
      id: "ingest",
      mailbox: { countMax: 10_000 },
      start: () =>
        new Ingest({
          topics,
          ledger: this.ledger,
          steadyOf: (wallMs) => wallMs,
          lines: this.group.lines,
          linesBytesMax: options.linesBytesMax ?? 1 << 20,
          deviceOf: (entry) => devices.ref(entry.deviceId),
          unrouted: (batch, index, reason) => outlet.unrouted(batch, index, reason),
          unclaimed: (reading) => outlet.dead(reading, "device_stopped", ""),
        }),
    });
    this.hub = new IntakeHub({
      shards: 1,
      topics,
      ledger: this.ledger,
      laneBytes: options.laneBytes ?? 1 << 20,
      payloadBytesMax: 1_000,
      now: () => 1_700_000_000_000,
      defer: (run) => run(),
      transmit: (_owner, ackLevel, batch) => {
        const owned = new OwnedBatch(
          0,
          batch.id,
          ackLevel,
          batch.frame,
          (done) => this.hub.settle(0, ackLevel, done.batchId, done.rejected),
          batch.entries,
        );
        assert.equal(ingest.tell(owned), "accepted");
      },
    });
  }

  async walk(): Promise<void> {
    for (let i = 0; i < 20; i++) await this.system.settle();
  }

  /** What the spool does once the group is on the disk, and the store has it. */
  commit(): void {
    this.sync()();
  }

  /** What it does once the group is on the disk. Call the answer when the store has it. */
  sync(): () => void {
    const { count, durable, stored } = this.group;
    this.group.reset();
    this.ledger.spooled(count);
    for (const completion of durable) completion.complete();
    return () => {
      this.ledger.stored(count);
      for (const completion of stored) completion.complete();
    };
  }
}

/** Notes how each of its readings was settled. */
export class Client implements Origin {
  readonly transport = "mqtt";
  readonly originHash = 42;
  readonly settledAs = new Map<number, string>();
  resumed = 0;
  settled(sequence: number, rejection: Rejection | undefined): void {
    assert.ok(!this.settledAs.has(sequence), `${sequence} settled twice`);
    this.settledAs.set(sequence, rejection?.reason ?? "taken");
  }
  settledEnd(): void {}
  resume(): void {
    this.resumed++;
  }
}

/** Offers a reading of QoS 1 whose packet identifier follows from its sequence, unless it is given. */
export function offer(
  path: OwnerPath,
  client: Client,
  sequence: number,
  topic: string,
  payload: string,
  repeats?: { readonly packetId: number },
): OfferResult {
  const bytes = utf8.encode(topic + payload);
  const topicEnd = utf8.encode(topic).length;
  const made: Offer = {
    bytes,
    topicStart: 0,
    topicEnd,
    payloadStart: topicEnd,
    payloadEnd: bytes.length,
    flags: repeats === undefined ? qos1 : qos1 | offerFlags.dup,
    packetId: repeats?.packetId ?? (sequence % 65_535) + 1,
    sequence,
  };
  return path.hub.offer(client, made);
}
