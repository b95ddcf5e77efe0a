import assert from "node:assert/strict";
import { ManualClock } from "../../../runtime/clock.ts";
import type { DeviceView } from "../control.ts";
import { liveQuery } from "./live_query.ts";
import { LiveStream } from "./live_stream.ts";
import type { ChangesQuery, LiveSource } from "./source.ts";

const view = (id: string, values: DeviceView["values"]): DeviceView => ({
  id,
  shard: 0,
  presence: "online",
  lastSeenMs: 1_000,
  values,
  counters: {},
});

/** One shard whose changes a test makes. */
class FakeSource implements LiveSource {
  readonly shards = 1;
  readonly asked: ChangesQuery[] = [];
  changed: DeviceView[] = [];
  more = false;
  #until = 0;

  changes(_shard: number, query: ChangesQuery) {
    this.asked.push(query);
    const devices = this.changed;
    this.changed = [];
    const more = this.more;
    this.more = false;
    return Promise.resolve({ devices, until: ++this.#until, more });
  }

  tally() {
    return Promise.resolve({ devices: 3, checksum: 0xab });
  }
}

function open(source: LiveSource, query = "", headers: Record<string, string> = {}) {
  const clock = new ManualClock();
  let ended = 0;
  let mayGoOn = true;
  const stream = new LiveStream({
    source,
    clock,
    query: liveQuery(new Request(`http://h/api/live${query}`, { headers }), source.shards),
    mayGoOn: () => mayGoOn,
    ended: () => ended++,
  });
  const reader = stream.body.getReader();
  return {
    clock,
    stream,
    reader,
    forbid: () => mayGoOn = false,
    ended: () => ended,
    next: async (): Promise<string> => {
      const { value } = await reader.read();
      return new TextDecoder().decode(value);
    },
  };
}

const turns = async () => {
  for (let i = 0; i < 20; i++) await new Promise<void>((done) => setTimeout(done));
};

Deno.test("what changed comes as events that end with the id to go on from, then the tally", async () => {
  const source = new FakeSource();
  source.changed = [view("a", { t: 1, u: 2 }), view("b", { u: 3 })];
  const { next, reader } = open(source, "?metric=t");
  assert.equal(
    await next(),
    'event: reading\ndata: {"device":"a","presence":"online","lastSeen":"1970-01-01T00:00:01.000Z",' +
      '"values":{"t":1}}\nid: 1\n\nevent: tally\ndata: {"devices":3,"checksum":"000000ab"}\n\n',
  );
  await reader.cancel();
});

Deno.test("a viewer is asked for no more often than it wants, and a slow one not at all", async () => {
  const source = new FakeSource();
  const { clock, next, reader, ended } = open(source, "?every=1m");
  source.changed = [view("a", { t: 1 })];
  await next();
  await turns();
  const asked = source.asked.length;
  source.changed = [view("a", { t: 2 })];
  clock.advance(59_999);
  await turns();
  assert.equal(source.asked.length, asked);
  clock.advance(1);
  await turns();
  assert.equal(source.asked.length, asked + 1);
  // Nobody reads: however long it takes, nothing is asked for and nothing gathers.
  clock.advance(3_600_000);
  await turns();
  assert.equal(source.asked.length, asked + 1);
  source.changed = [view("a", { t: 9 })];
  assert.match(await next(), /"t":2/);
  await turns();
  clock.advance(3_600_000);
  assert.match(await next(), /"t":9/);
  await reader.cancel();
  assert.equal(ended(), 1);
});

Deno.test("a state that does not fit one answer comes at once in several", async () => {
  const source = new FakeSource();
  source.changed = [view("a", { t: 1 })];
  source.more = true;
  const { next, reader } = open(source);
  const first = await next();
  assert.ok(first.includes('"a"') && !first.includes("tally"));
  source.changed = [view("b", { t: 1 })];
  assert.match(await next(), /"b"/);
  await reader.cancel();
});

Deno.test("who comes back goes on with the last id, and an id that is none begins anew", () => {
  const since = (id: string, shards: number) =>
    liveQuery(new Request("http://h/", { headers: { "last-event-id": id } }), shards).since;
  assert.deepEqual(since("5000000-7000000", 2), [4_000_000, 6_000_000]);
  for (const id of ["5-7-8", "5", "x", "", "1e9-2", "__proto__", "-1-2"]) {
    assert.deepEqual(since(id, 2), [0, 0], id);
  }
});

Deno.test("places come as Features, others not at all", async () => {
  const source = new FakeSource();
  source.changed = [view("a", { t: 1 }), view("f~v", { lat: 1, lon: 2, alt: 3, speed: 4 })];
  const { next, reader } = open(source, "?format=geojson");
  const text = await next();
  const [, data] = /^event: feature\ndata: (.*)\nid/.exec(text) ?? [];
  assert.deepEqual(JSON.parse(data ?? ""), {
    type: "Feature",
    id: "f~v",
    geometry: { type: "Point", coordinates: [2, 1, 3] },
    properties: { presence: "online", lastSeen: "1970-01-01T00:00:01.000Z", speed: 4 },
  });
  await reader.cancel();
});

Deno.test("a stream ends when its viewer may see no more, and when the service ends", async () => {
  const source = new FakeSource();
  source.changed = [view("a", { t: 1 })];
  const one = open(source);
  await one.next();
  one.forbid();
  await turns();
  one.clock.advance(1_000);
  assert.equal((await one.reader.read()).done, true);
  assert.equal(one.ended(), 1);
  const other = open(new FakeSource());
  other.stream.close();
  other.stream.close();
  await turns();
  assert.equal(other.ended(), 1);
});
