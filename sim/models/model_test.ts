import assert from "node:assert/strict";
import { Random } from "../random.ts";
import { modelNames, models } from "./model.ts";

const startMs = Date.UTC(2026, 10, 20, 13, 46, 1, 250);

function readings(name: typeof modelNames[number], n: number, seed: number, count: number) {
  const device = models[name](n, new Random(seed).fork(n));
  return {
    topic: device.topic,
    readings: Array.from({ length: count }, (_, i) => device.reading(startMs + i * 1_000)),
  };
}

for (const name of modelNames) {
  Deno.test(`model ${name}: seed and number decide the device and all it says`, () => {
    assert.deepEqual(readings(name, 3, 9, 20), readings(name, 3, 9, 20));
    assert.notDeepEqual(readings(name, 3, 9, 20), readings(name, 3, 8, 20));
    assert.notEqual(readings(name, 3, 9, 1).topic, readings(name, 4, 9, 1).topic);
  });

  Deno.test(`model ${name}: finite numbers that change, in a topic of names`, () => {
    const { topic, readings: all } = readings(name, 0, 1, 500);
    assert.match(topic, /^[\w-]+(\/[\w-]+){1,2}$/);
    for (const reading of all) {
      const numbers = Object.values(reading).filter((value) => typeof value === "number");
      assert.ok(numbers.length > 0 && numbers.every(Number.isFinite));
    }
    assert.ok(new Set(all.map((reading) => JSON.stringify(reading))).size > 100);
  });
}

Deno.test("models: what the built-in routes ask for", () => {
  const first = (name: typeof modelNames[number]) => readings(name, 0, 1, 1);
  const device = first("device");
  assert.match(
    device.topic,
    /^device\/[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/,
  );
  assert.equal(`device/${device.readings[0]!.uuid}`, device.topic);

  const station = first("station");
  assert.equal(station.topic.split("/").length, 2);
  assert.deepEqual(Object.keys(station.readings[0]!), [
    "BAT",
    "HUMID",
    "PRJ",
    "TMP",
    "status",
    "timestamp",
  ]);
  assert.equal(station.readings[0]!.timestamp, "2026-11-20T15:46:01.250+02:00");

  const weather = first("weather");
  assert.equal(weather.topic, `weather/${weather.readings[0]!.name}`);
  assert.equal(weather.readings[0]!.timestamp, startMs / 1_000);

  assert.match(first("vehicle").topic, /^fleet-1\/bus-0\/position$/);
});

Deno.test("station: stations of a fleet of all models are in every place", () => {
  const every = modelNames.length;
  const places = Array.from({ length: 5 }, (_, i) => {
    const n = i * every + modelNames.indexOf("station");
    return readings("station", n, 1, 0).topic.split("/")[0];
  });
  assert.deepEqual(places, ["UPB", "Dorinel", "Harbour", "Depot", "UPB"]);
});

Deno.test("vehicle: stays about the town and never jumps", () => {
  const { readings: all } = readings("vehicle", 1, 5, 20_000);
  let last: { lat: number; lon: number } | undefined;
  for (const { lat, lon, heading } of all) {
    assert.ok(typeof lat === "number" && typeof lon === "number" && typeof heading === "number");
    assert.ok(Math.hypot(lat - 44.4268, lon - 26.1025) < 0.17);
    assert.ok(heading >= 0 && heading <= 360);
    if (last !== undefined) assert.ok(Math.hypot(lat - last.lat, lon - last.lon) < 0.001);
    last = { lat, lon };
  }
});
