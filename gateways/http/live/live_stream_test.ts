import assert from "node:assert/strict";
import { ManualClock } from "../../../runtime/clock.ts";
import { turns } from "../../testing/turns.ts";
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
  away = false;
  #until = 0;

  changes(_shard: number, query: ChangesQuery) {
    this.asked.push(query);
    const devices = this.changed;
    this.changed = [];
    const more = this.more;
    this.more = false;
    const changes = { devices, until: ++this.#until, more };
    if (this.away) return Promise.reject(new Error("away"));
    const tally = { devices: 3, checksum: 0xab };
    return Promise.resolve(query.having === undefined ? changes : { ...changes, tally });
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
    /** The next that is no comment. */
    nextEvent: async (): Promise<string> => {
      for (;;) {
        const { value } = await reader.read();
        const text = new TextDecoder().decode(value);
        if (!text.startsWith(":")) return text;
      }
    },
  };
}

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
  const { clock, next, nextEvent, reader, ended } = open(source, "?every=1m");
  source.changed = [view("a", { t: 1 })];
  await next();
  await turns();
  const asked = source.asked.length;
  source.changed = [view("a", { t: 2 })];
  const second = nextEvent();
  clock.advance(59_999);
  await turns();
  assert.equal(source.asked.length, asked);
  clock.advance(1);
  assert.match(await second, /"t":2/);
  assert.equal(source.asked.length, asked + 1);
  // Nobody reads: one update waits, and however long it takes, nothing more is asked for.
  source.changed = [view("a", { t: 3 })];
  for (let hour = 0; hour < 3; hour++) {
    await turns();
    clock.advance(3_600_000);
  }
  await turns();
  assert.equal(source.asked.length, asked + 2);
  source.changed = [view("a", { t: 9 })];
  assert.match(await nextEvent(), /"t":3/);
  assert.match(await nextEvent(), /"t":9/);
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

Deno.test("the tally is of the moment up to which all is told; without a shard there is none", async () => {
  const source = new FakeSource();
  source.away = true;
  const { clock, nextEvent, reader } = open(source, "?every=10s&metric=t&format=geojson");
  const first = nextEvent();
  await turns();
  assert.deepEqual(source.asked.map(({ having }) => having), [["lat", "lon", "t"]]);
  source.away = false;
  clock.advance(10_000);
  assert.match(await first, /^event: tally\n/, "it is still due");
  const following = nextEvent();
  await turns();
  clock.advance(9_999);
  await turns();
  assert.equal(source.asked.length, 2, "not before its time");
  clock.advance(1);
  assert.match(await following, /^event: tally\n/);
  await reader.cancel();
});

Deno.test("who wants an update an hour hears in between that the other end is there", async () => {
  const source = new FakeSource();
  const { clock, next, reader } = open(source, "?every=60m");
  assert.match(await next(), /^event: tally/);
  for (let i = 0; i < 3; i++) {
    const following = next();
    await turns();
    clock.advance(15_000);
    assert.equal(await following, ": still here\n\n");
  }
  assert.equal(source.asked.length, 1);
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

  source.changed = [
    view("slow", { lat: 1, lon: 2, t: 5 }),
    view("fast", { lat: 1, lon: 2, speed: 4, t: 5 }),
  ];
  const one = open(source, "?format=geojson&metric=speed");
  const events = await one.next();
  assert.match(events, /"id":"fast".*"lastSeen":"[^"]+","speed":4\}\}\nid/);
  assert.doesNotMatch(events, /slow|"t":/);
  await one.reader.cancel();
});

Deno.test("what is no place on Earth is a Feature without one, so that it is still counted", async () => {
  const source = new FakeSource();
  const edges = [[90, 180], [-90, -180], [0, 0]] as const;
  const beyond = [[90.001, 0], [-91, 0], [0, 180.001], [0, -181], [1e308, 26], ["44", 26]] as const;
  for (const [lat, lon] of [...edges, ...beyond]) {
    source.changed = [view("f~v", { lat, lon, speed: 4 })];
    const { next, reader } = open(source, "?format=geojson");
    const { geometry, properties } = JSON.parse(/data: (.*)\nid/.exec(await next())?.[1] ?? "");
    await reader.cancel();
    const placed = edges.some((edge) => edge[0] === lat && edge[1] === lon);
    assert.deepEqual(geometry, placed ? { type: "Point", coordinates: [lon, lat] } : null);
    assert.equal(properties.speed, 4);
    assert.equal(properties.lat, placed ? undefined : lat);
  }
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
