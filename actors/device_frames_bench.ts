/**
 * A frame of 1,000 readings at its owner, from the walk to the commit group: of 100 devices, each of
 * which gets ten at once, and of 100,000, each of which is found again far away in the memory. What
 * others do on the machine makes the averages longer: compare the shortest times.
 *
 * @module
 */
import { KeyedRef } from "../runtime/keyed_ref.ts";
import { TestSystem } from "../runtime/testing/test_system.ts";
import { CodeStrikes } from "./code_strikes.ts";
import { DeviceActor } from "./device_actor.ts";
import { DeviceDirectory } from "./device_directory.ts";
import { Ingest, type IngestMessage } from "./ingest.ts";
import { Ledger } from "./ledger.ts";
import { Outlet } from "./outlet.ts";
import { OwnedBatch, type OwnedReading } from "./owned_batch.ts";
import { entryWord, FrameWriter } from "./readings_frame.ts";
import { compileRoutes } from "./route_table.ts";
import { CommitGroup } from "./spool/commit_group.ts";
import { benchRoute, countUp } from "./testing/bench_device.ts";
import { deviceTools } from "./testing/readings.ts";
import { TopicTable } from "./topic_table.ts";

const readings = 1_000;
/** Prime, and larger than both counts: each step leads to a device that was not there for long. */
const stride = 7_919;
const topicBytes = 12;
const utf8 = new TextEncoder();

function benchWith(count: number): void {
  const { system, clock } = new TestSystem();
  const ledger = new Ledger();
  const group = new CommitGroup();
  const outlet = new Outlet({
    group,
    ledger,
    deadLetter: ({ reason }) => {
      throw new Error(`the bench's reading is dead: ${reason}`);
    },
    requestCommit: () => {},
    recoveredStored: () => false,
  });
  const directory = new DeviceDirectory(deviceTools(), {
    silentAfterMs: 1e9,
    offlineAfterMs: 1e9,
    knownMax: count,
    now: () => clock.now(),
  });
  const options = { directory, outlet, codes: new Map(), strikes: new CodeStrikes([]) };
  const devices = system.spawnKeyed<OwnedReading>({
    id: "devices",
    activeMax: count,
    mailbox: { countMax: 1_024 },
    start: (id) => new DeviceActor(id, options),
  });
  const ingest = system.spawn<IngestMessage>({
    id: "ingest",
    start: () =>
      new Ingest({
        topics: new TopicTable(compileRoutes([benchRoute]), { gatewayId: "gw", hashSeed: 1 }),
        ledger,
        steadyOf: (wallMs) => wallMs,
        lines: group.lines,
        linesBytesMax: 1 << 24,
        deviceOf(entry) {
          if (entry.handle instanceof KeyedRef) return entry.handle;
          const ref = devices.ref(entry.deviceId);
          entry.handle = ref;
          return ref;
        },
        unrouted: (_batch, _index, reason) => {
          throw new Error(`the bench's reading is refused: ${reason}`);
        },
        unclaimed: () => {},
      }),
  });
  const sent = utf8.encode(
    'bench/100000{"temperature":20.25,"humidity":45.67,"pressure":1013.2,"seq":1000500,"ts":1700000000000001}',
  ).slice();
  let at = 0;
  let settled = 0;
  const nextBatch = (): OwnedBatch => {
    const frame = new FrameWriter(readings * sent.length, readings);
    frame.arrivalMs = 1_700_000_000_000;
    for (let i = 0; i < readings; i++) {
      at = (at + stride) % count;
      utf8.encodeInto(String(100_000 + at), sent.subarray(topicBytes - 6));
      countUp(sent);
      frame.add(sent, 0, topicBytes, topicBytes, sent.length, entryWord(1, 1, 0), 1);
    }
    return new OwnedBatch(1, 1, "spooled", frame, () => settled += readings);
  };
  const take = (batch: OwnedBatch): void => {
    ingest.tell(batch);
    system.dispatcher.runUntilIdle();
  };
  const commit = (): void => {
    const { durable } = group;
    group.reset();
    for (const completion of durable) completion.complete();
    if (settled !== readings) throw new Error(`${settled} of ${readings} readings were taken`);
    settled = 0;
  };
  // As many fingerprints as a device will have, and the code as fast as it becomes.
  for (let i = 0; i < 8 * Math.max(count, 20_000) / readings; i++) {
    take(nextBatch());
    commit();
  }
  Deno.bench(`${count.toLocaleString("en")} devices: ${readings} readings`, { n: 400 }, (b) => {
    const batch = nextBatch();
    b.start();
    take(batch);
    b.end();
    commit();
  });
}

// As in a shard, which hands buffers over: from then on V8 asks each one whether it is still there.
const handedOver = new ArrayBuffer(8);
structuredClone(handedOver, { transfer: [handedOver] });
benchWith(100);
benchWith(100_000);
