/**
 * Every case of the station route, sent by `mosquitto_pub` and read back from the API.
 *
 * @module
 */
import assert from "node:assert/strict";
import { testWith } from "../../gateways/testing/programs.ts";
import { deadLetters, replayDeadLetters } from "../support/api.ts";
import { Bystanders, publish, settledFor, storedValues } from "../support/input.ts";
import {
  assertConserved,
  settledBooks,
  type Sluice,
  startSluice,
  until,
} from "../support/sluice.ts";

interface Case {
  readonly topic: string;
  readonly payload: string;
  /** `time device metric value`, time `arrival` for any of now. */
  readonly stored: readonly string[];
  /** What becomes of it when nothing is stored. */
  readonly fate?: readonly ["refused" | "dead_lettered", reason: string];
}

const december = "2019-11-26T00:54:20.000000000Z";

const cases: readonly Case[] = [
  {
    topic: "UPB/RPi_1",
    payload:
      '{"BAT":99,"HUMID":40,"PRJ":"SPRC","TMP":25.3,"status":"OK","timestamp":"2019-11-26T03:54:20+03:00"}',
    stored: [
      `${december} UPB~RPi_1 BAT 99`,
      `${december} UPB~RPi_1 HUMID 40`,
      `${december} UPB~RPi_1 TMP 25.3`,
    ],
  },
  {
    topic: "Dorinel/Zeus",
    payload: '{"Alarm":0,"AQI":12,"RSSI":1500}',
    stored: [
      "arrival Dorinel~Zeus AQI 12",
      "arrival Dorinel~Zeus Alarm 0",
      "arrival Dorinel~Zeus RSSI 1500",
    ],
  },
  {
    topic: "UPB/RPi_1",
    payload: '{"BAT":true,"X":null,"L":[1,2],"O":{"a":1},"S":"12"}',
    stored: [],
    fate: ["refused", "no_fields"],
  },
  {
    topic: "UPB/RPi_1",
    payload: "not json",
    stored: [],
    fate: ["dead_lettered", "malformed_json"],
  },
  { topic: "UPB/RPi_1", payload: "", stored: [], fate: ["dead_lettered", "empty_payload"] },
  { topic: "UPB/RPi_1", payload: "[1,2]", stored: [], fate: ["dead_lettered", "not_an_object"] },
  { topic: "UPB", payload: '{"BAT":1}', stored: [], fate: ["refused", "no_route"] },
  { topic: "UPB/RPi_1/x", payload: '{"BAT":1}', stored: [], fate: ["refused", "no_route"] },
  { topic: "/RPi_1", payload: '{"BAT":1}', stored: [], fate: ["refused", "no_route"] },
  { topic: "UPB/", payload: '{"BAT":1}', stored: [], fate: ["refused", "no_route"] },
  {
    topic: "UPB/RPi_1",
    payload: '{"BAT":99,"timestamp":1574729660}',
    stored: [`${december} UPB~RPi_1 BAT 99`],
  },
  {
    topic: "UPB/RPi_1",
    payload: '{"BAT":98,"timestamp":1574729661}',
    stored: ["2019-11-26T00:54:21.000000000Z UPB~RPi_1 BAT 98"],
  },
  {
    topic: "UPB/Zeus",
    payload: '{"temp":27,"timestamp":"2023-01-09T12:00:00+0200"}',
    stored: ["2023-01-09T10:00:00.000000000Z UPB~Zeus temp 27"],
  },
];

/** What is stored as {@linkcode Case.stored} has it; times of this test's own run are `arrival`. */
async function stored(sluice: Sluice, startedMs: number): Promise<string[]> {
  const values = await storedValues(sluice.httpUrl);
  return values.filter(({ device }) => !device.startsWith("good~")).map(
    ({ time, device, metric, value }) => {
      const recent = Date.parse(time) >= startedMs - 1 && Date.parse(time) <= Date.now();
      return `${recent ? "arrival" : time} ${device} ${metric} ${value}`;
    },
  ).toSorted();
}

testWith(["mosquitto_pub"], "the station route's cases", async () => {
  await using sluice = await startSluice();
  using bystanders = await Bystanders.join(sluice);
  const startedMs = Date.now();
  const { httpUrl, mqttPort } = sluice;
  const expected = new Set<string>();
  for (const { topic, payload, stored: adds, fate } of cases) {
    const name = `${topic} ${payload}`;
    const before = fate === undefined ? 0 : await settledFor(httpUrl, ...fate);
    await publish(mqttPort, topic, payload);
    for (const point of adds) expected.add(point);
    await bystanders.undisturbed();
    assert.deepEqual(await stored(sluice, startedMs), [...expected].toSorted(), name);
    if (fate !== undefined) assert.equal(await settledFor(httpUrl, ...fate), before + 1, name);
  }

  // The dead letters are listed with topic, payload and reason, and no other.
  const letters = await deadLetters(httpUrl);
  assert.deepEqual(
    letters.map(({ topic, payload, reason }) => `${topic} ${payload} ${reason}`).toSorted(),
    cases.flatMap(({ topic, payload, fate }) =>
      fate?.[0] === "dead_lettered" ? [`${topic} ${payload} ${fate[1]}`] : []
    ).toSorted(),
  );

  // Tried again they fail again, for the same reason; none is lost and none is doubled.
  assert.equal(await replayDeadLetters(httpUrl, {}), letters.length);
  assertConserved(await settledBooks(httpUrl));
  const reasons = (all: typeof letters) => all.map(({ reason }) => reason).toSorted();
  await until("they are back", async () => (await deadLetters(httpUrl)).length === letters.length);
  assert.deepEqual(reasons(await deadLetters(httpUrl)), reasons(letters));

  // The same again is recognised where it has a time of its own.
  const { duplicate } = await settledBooks(httpUrl);
  await publish(mqttPort, "UPB/RPi_1", cases[0]!.payload);
  await until(
    "it is a duplicate",
    async () => (await settledBooks(httpUrl)).duplicate === duplicate + 1,
  );
  assert.deepEqual(await stored(sluice, startedMs), [...expected].toSorted());
});

testWith(
  ["mosquitto_pub"],
  "a dead letter is stored once what was in its way is gone",
  async () => {
    // What the route refused at first, a better route takes.
    const route = {
      name: "meter",
      topic: "meters/{meter}",
      measurement: "meter",
      tags: { meter: "{meter}" },
      schema: { type: "object", required: ["unit"] },
    };
    await using directory = {
      path: await Deno.makeTempDir(),
      [Symbol.asyncDispose]() {
        return Deno.remove(this.path, { recursive: true });
      },
    };
    const dataDir = `${directory.path}/data`;
    {
      await using sluice = await startSluice({ dataDir, config: { routes: [route] } });
      await publish(sluice.mqttPort, "meters/a", '{"kwh":7}');
      const [letter] = await deadLetters(sluice.httpUrl);
      assert.equal(letter?.reason, "schema");
      assert.match(letter.detail, /unit/);
      assert.equal(await sluice.process.stop(), 0);
    }
    const { schema: _, ...better } = route;
    await using sluice = await startSluice({ dataDir, config: { routes: [better] } });
    assert.equal(await replayDeadLetters(sluice.httpUrl, { reason: "schema" }), 1);
    await until("it is stored", async () => (await storedValues(sluice.httpUrl)).length === 1);
    assert.deepEqual(await deadLetters(sluice.httpUrl), []);
    assertConserved(await settledBooks(sluice.httpUrl));
  },
);
