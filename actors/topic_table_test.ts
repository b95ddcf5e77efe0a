import assert from "node:assert/strict";
import fc from "fast-check";
import { compileRoutes } from "./route_table.ts";
import { topicBytesMax, TopicTable } from "./topic_table.ts";

const utf8 = new TextEncoder();
const text = new TextDecoder();

function table(entriesMax = 1000, routes: unknown = []): TopicTable {
  return new TopicTable(compileRoutes(routes), { gatewayId: "gw 1", entriesMax, hashSeed: 3 });
}

function find(topics: TopicTable, topic: string) {
  const data = utf8.encode(`##${topic}/x`);
  return topics.lookup(data, 2, data.length - 2);
}

function seriesOf(topics: TopicTable, topic: string): string {
  const entry = find(topics, topic);
  if (entry.kind === "refused") return entry.rejection.reason;
  const { bytes, headStart, headEnd, tailEnd } = entry;
  return `${text.decode(bytes.subarray(headStart, headEnd))}|${
    text.decode(bytes.subarray(headEnd, tailEnd))
  }`;
}

Deno.test("a topic's series is written once, escaped, with the gateway", () => {
  const topics = table();
  assert.equal(
    seriesOf(topics, "UPB/RPi 1"),
    "RPi\\ 1.|,gateway=gw\\ 1,location=UPB,station=RPi\\ 1",
  );
  assert.equal(seriesOf(topics, "device/u1"), "device|,device=u1,gateway=gw\\ 1");
  assert.equal(seriesOf(topics, "UPB"), "no_route");
});

Deno.test("the same topic gives the same entry; the device's hash is the same everywhere", () => {
  const first = find(table(), "UPB/RPi_1");
  const topics = table();
  const again = find(topics, "UPB/RPi_1");
  assert.equal(find(topics, "UPB/RPi_1"), again);
  assert.ok(first.kind === "topic" && again.kind === "topic");
  assert.equal(first.deviceId, "UPB~RPi_1");
  assert.equal(first.deviceHash, again.deviceHash);
  assert.equal(first.topicHash, again.topicHash);
});

Deno.test("different topics never share a device by how the parts are joined", () => {
  const idOf = (topic: string) => {
    const entry = find(table(), topic);
    return entry.kind === "topic" ? entry.deviceId : undefined;
  };
  assert.equal(idOf("a~b/c"), "a%7Eb~c");
  assert.equal(idOf("a/b~c"), "a~b%7Ec");
  assert.equal(idOf("a%7Eb/c"), "a%257Eb~c");
  assert.equal(idOf("device/."), "%2E");
  assert.equal(idOf("device/.."), "%2E%2E");
  assert.equal(idOf("device/%2E"), "%252E");
  assert.equal(idOf("../."), "..~.");
});

Deno.test("topics that are no topics are refused", () => {
  const topics = table();
  for (
    const bytes of [[], [0xff], [0x61, 0], [0x61, 0x0a], [0x2b], [0x61, 0x2f, 0x23], [
      0xed,
      0xa0,
      0x80,
    ]]
  ) {
    const found = topics.lookup(Uint8Array.from(bytes), 0, bytes.length);
    assert.equal(
      found.kind === "refused" && found.rejection.reason,
      "invalid_topic",
      String(bytes),
    );
  }
});

Deno.test("any sequence of topics is answered as by a table without a memory, and is bounded", () => {
  const part = fc.integer({ min: 0, max: 30 }).map((n) => `s${n}`.repeat(1 + n % 3));
  const topic = fc.oneof(
    fc.tuple(part, part).map((parts) => parts.join("/")),
    fc.tuple(part, part, part).map((parts) => parts.join("/")),
  );
  fc.assert(
    fc.property(fc.array(topic, { maxLength: 400, size: "max" }), (sequence) => {
      const topics = table(40);
      for (const name of sequence) {
        const found = find(topics, name);
        const isStation = name.split("/").length === 2;
        assert.equal(found.kind, isStation ? "topic" : "refused");
        if (found.kind === "topic") {
          const [location, station] = name.split("/");
          assert.equal(found.topic, name);
          assert.equal(
            seriesOf(topics, name),
            `${station}.|,gateway=gw\\ 1,location=${location},station=${station}`,
          );
        }
        assert.ok(topics.size <= 40);
      }
    }),
    { numRuns: 50, seed: 1 },
  );
});

Deno.test("a topic in use is not forgotten, however many others come", () => {
  const topics = table(20);
  const entry = find(topics, "UPB/RPi_1");
  for (let i = 0; i < 500; i++) {
    find(topics, `flood/${i}`);
    if (i % 5 === 0) assert.equal(find(topics, "UPB/RPi_1"), entry);
  }
  assert.equal(seriesOf(topics, "UPB/RPi_1"), "RPi_1.|,gateway=gw\\ 1,location=UPB,station=RPi_1");
});

Deno.test("what is not asked for is forgotten at the second call, what is in use stays as it is", () => {
  const topics = table(1_000);
  const used = find(topics, "UPB/used");
  for (let i = 0; i < 100; i++) find(topics, `UPB/${i}`);
  find(topics, "no/route/takes/this");
  topics.forgetIdle();
  assert.equal(find(topics, "UPB/used"), used);
  assert.equal(topics.size, 102, "the others were in use before the call");
  topics.forgetIdle();
  assert.equal(find(topics, "UPB/used"), used);
  assert.equal(topics.size, 1);
  assert.equal(seriesOf(topics, "UPB/7"), "7.|,gateway=gw\\ 1,location=UPB,station=7");
});

Deno.test("forgetting at intervals shortens no topic's time, and never changes an answer", () => {
  const step = fc.oneof(
    { weight: 29, arbitrary: fc.integer({ min: 0, max: 60 }).map((n) => `UPB/${n}`) },
    { weight: 1, arbitrary: fc.constant(undefined) },
  );
  const entriesMax = 40;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300, size: "max" }), (steps) => {
      const topics = table(entriesMax);
      const entries = new Map<string, unknown>();
      /** Most recently used last, with the interval in which they were. */
      const used = new Map<string, number>();
      let interval = 0;
      for (const name of steps) {
        if (name === undefined) {
          topics.forgetIdle();
          interval++;
          continue;
        }
        const found = find(topics, name);
        assert.equal(seriesOf(topics, name).split("station=")[1], name.slice(4));
        const recent = [...used.keys()].reverse().indexOf(name);
        const isFresh = recent >= 0 && used.get(name)! >= interval - 1;
        if (isFresh && recent < entriesMax / 2) assert.equal(found, entries.get(name));
        entries.set(name, found);
        used.delete(name);
        used.set(name, interval);
        assert.ok(topics.size <= entriesMax);
      }
      topics.forgetIdle();
      topics.forgetIdle();
      topics.forgetIdle();
      assert.equal(topics.size, 0);
    }),
    { numRuns: 40, seed: 1, endOnFailure: true },
  );
});

Deno.test("long topics are bounded by their bytes, and refused beyond a limit", () => {
  const topics = table(1_000);
  let bytes = 0;
  for (let i = 0; i < 2_000; i++) {
    const name = `${"L".repeat(1_000)}/${i}`;
    find(topics, name);
    bytes = Math.max(bytes, topics.size * name.length);
  }
  assert.ok(bytes < 1_000 * 512);
  assert.equal(find(topics, `L/${"s".repeat(topicBytesMax - 2)}`).kind, "topic");
  const found = find(topics, `L/${"s".repeat(topicBytesMax - 1)}`);
  assert.equal(found.kind === "refused" && found.rejection.reason, "invalid_topic");
});
