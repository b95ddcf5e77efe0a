/**
 * What 100,000 devices cost beside 100, for one reading each in no order: what a bare `Map` takes to
 * find one, which is the memory's doing, and the parts of a reading's path that do likewise.
 *
 * @module
 */
import { Device } from "./device.ts";
import type { TopicEntry } from "./reading.ts";
import { compileRoutes } from "./route_table.ts";
import { benchRoute, countUp, pointsOnly } from "./testing/bench_device.ts";
import { deviceTools } from "./testing/readings.ts";
import { TopicTable } from "./topic_table.ts";

/** Prime, and larger than both counts: each step leads to a device that was not there for long. */
const stride = 7_919;
const utf8 = new TextEncoder();
const payload = utf8.encode(
  '{"temperature":20.25,"humidity":45.67,"pressure":1013.2,"seq":1000500,"ts":1700000000000001}',
).slice();
const outlet = pointsOnly();

function benchWith(count: number): void {
  const routes = compileRoutes([benchRoute]);
  const topics = new TopicTable(routes, { gatewayId: "gw", hashSeed: 1 });
  const tools = deviceTools();
  const ids: string[] = [];
  const byId = new Map<string, number>();
  const entries: TopicEntry[] = [];
  const devices: Device[] = [];
  const topicBytes = 12;
  const bytes = new Uint8Array(count * topicBytes);
  for (let i = 0; i < count; i++) {
    const id = String(100_000 + i);
    utf8.encodeInto(`bench/${id}`, bytes.subarray(i * topicBytes));
    const entry = topics.lookup(bytes, i * topicBytes, (i + 1) * topicBytes);
    if (entry.kind === "refused") throw new Error(entry.rejection.reason);
    ids.push(id);
    byId.set(id, i);
    entries.push(entry);
    devices.push(new Device(id, tools));
  }
  let at = 0;
  let sum = 0;
  const next = (): number => at = (at + stride) % count;
  const take = (): void => {
    countUp(payload);
    const i = next();
    devices[i]!.take({
      batch: { data: payload, arrivalMs: 1_700_000_000_000, seenMs: 1_700_000_000_000 },
      start: 0,
      end: payload.length,
      flags: 1,
      packetId: 1,
      originHash: 1,
      entry: entries[i]!,
    }, outlet);
  };
  const name = count.toLocaleString("en");
  Deno.bench(`${name}: find one in a Map`, { group: "map" }, () => {
    sum += byId.get(ids[next()]!)!;
  });
  Deno.bench(`${name}: find a topic`, { group: "topic" }, () => {
    const start = next() * topicBytes;
    topics.lookup(bytes, start, start + topicBytes);
  });
  for (let i = 0; i < 8 * count; i++) take(); // As many fingerprints as a device will have.
  Deno.bench(`${name}: a device takes a reading`, { group: "device" }, take);
}

benchWith(100);
benchWith(100_000);
