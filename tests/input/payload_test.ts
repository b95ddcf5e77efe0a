/**
 * Payloads that are wrong in every way that is known, and some that only look wrong. Each is
 * acknowledged, none stops the next, and none is silent.
 *
 * @module
 */
import assert from "node:assert/strict";
import { concatBytes } from "../../actors/concat_bytes.ts";
import { testWith } from "../../gateways/testing/programs.ts";
import { deadLetters, newestDeadLetters, replayDeadLetters } from "../support/api.ts";
import { Bystanders, publish, settledFor, storedSeries } from "../support/input.ts";
import { assertConserved, settledBooks, startSluice, until } from "../support/sluice.ts";

interface Case {
  readonly name: string;
  readonly payload: string | Uint8Array<ArrayBuffer>;
  /** `metric=value` of what is stored. */
  readonly stored?: readonly string[];
  readonly dead?: string;
  readonly refused?: string;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const nested = (depth: number): string =>
  `{"x":1,"deep":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`;
const fields = (count: number): string =>
  `{${Array.from({ length: count }, (_, i) => `"f${i}":${i}`).join(",")}}`;

const cases: readonly Case[] = [
  { name: "as deep as may be", payload: nested(32), stored: ["x=1"] },
  { name: "one too deep", payload: nested(33), dead: "too_deep" },
  { name: "very deep", payload: nested(100_000), dead: "too_deep" },
  { name: "deep and unclosed", payload: `{"x":${"[".repeat(100_000)}`, dead: "too_deep" },
  { name: "NaN", payload: '{"x":NaN}', dead: "malformed_json" },
  { name: "Infinity", payload: '{"x":Infinity}', dead: "malformed_json" },
  { name: "a number no float holds, by itself", payload: '{"x":1e400}', refused: "no_fields" },
  { name: "a number no float holds, among others", payload: '{"x":-1e400,"y":2}', stored: ["y=2"] },
  { name: "a number next to zero", payload: '{"x":1e-400}', stored: ["x=0"] },
  { name: "a leading zero", payload: '{"x":01}', dead: "malformed_json" },
  { name: "a plus", payload: '{"x":+1}', dead: "malformed_json" },
  { name: "hexadecimal", payload: '{"x":0x10}', dead: "malformed_json" },
  { name: "a comma at the end", payload: '{"x":1,}', dead: "malformed_json" },
  { name: "single quotes", payload: "{'x':1}", dead: "malformed_json" },
  { name: "more after the end", payload: '{"x":1}{"x":2}', dead: "malformed_json" },
  { name: "cut off", payload: '{"x":1', dead: "malformed_json" },
  { name: "a bare number", payload: "42", dead: "not_an_object" },
  { name: "null", payload: "null", dead: "not_an_object" },
  { name: "spaces only", payload: "   ", dead: "empty_payload" },
  { name: "a key twice: the last counts", payload: '{"x":1,"x":2}', stored: ["x=2"] },
  { name: "a key twice, then no number", payload: '{"x":1,"x":"a"}', refused: "no_fields" },
  {
    name: "a key twice, written in two ways",
    payload: '{"x":1,"\\u0078":3}',
    stored: ["x=3"],
  },
  {
    name: "invalid UTF-8 in a text",
    payload: concatBytes([bytes('{"x":1,"s":"'), [0xff, 0xfe], bytes('"}')]),
    dead: "invalid_utf8",
  },
  {
    name: "an overlong form in a key",
    payload: concatBytes([bytes('{"'), [0xc0, 0xaf], bytes('":1}')]),
    dead: "invalid_utf8",
  },
  {
    name: "a surrogate by itself, escaped",
    payload: '{"x":1,"s":"\\ud800"}',
    stored: ["x=1"],
  },
  { name: "a control character in a text", payload: '{"s":"a\nb"}', dead: "malformed_json" },
  { name: "binary", payload: concatBytes([[0, 1, 2, 255, 254, 0]]), dead: "invalid_utf8" },
  { name: "as many fields as may be", payload: fields(256), stored: ["f255=255"] },
  { name: "a field too many", payload: fields(257), dead: "too_many_fields" },
  {
    name: "as large as may be",
    payload: `{"x":1,"s":"${"a".repeat(262_144 - 14)}"}`,
    stored: ["x=1"],
  },
  {
    name: "a byte too large",
    payload: `{"x":1,"s":"${"a".repeat(262_144 - 13)}"}`,
    dead: "payload_too_large",
  },
  { name: "a byte order mark", payload: '\ufeff{"x":1}', dead: "malformed_json" },
  {
    name: "a time that is none",
    payload: '{"x":1,"timestamp":"yesterday"}',
    dead: "timestamp_unreadable",
  },
  {
    name: "a time that does not exist",
    payload: '{"x":1,"timestamp":"2023-02-30T00:00:00Z"}',
    dead: "timestamp_unreadable",
  },
  {
    name: "a time without a zone",
    payload: '{"x":1,"timestamp":"2023-02-03T00:00:00"}',
    dead: "timestamp_unreadable",
  },
  {
    name: "a time that no store holds",
    payload: '{"x":1,"timestamp":1e300}',
    dead: "timestamp_out_of_range",
  },
  {
    name: "a time of another kind",
    payload: '{"x":1,"timestamp":{"s":1}}',
    dead: "timestamp_unreadable",
  },
  {
    name: "the names that objects have",
    payload: '{"__proto__":1,"constructor":2,"toString":3,"hasOwnProperty":4}',
    stored: ["__proto__=1", "constructor=2", "hasOwnProperty=4", "toString=3"],
  },
  { name: "an object for a prototype", payload: '{"__proto__":{"x":1},"y":2}', stored: ["y=2"] },
];

testWith(["mosquitto_pub"], "wrong payloads, one after the other", async (t) => {
  await using sluice = await startSluice();
  using bystanders = await Bystanders.join(sluice);
  const { httpUrl, mqttPort } = sluice;
  for (const [i, { name, payload, stored = [], dead, refused }] of cases.entries()) {
    await t.step(name, async () => {
      const count = async () => [
        dead === undefined ? 0 : await settledFor(httpUrl, "dead_lettered", dead),
        refused === undefined ? 0 : await settledFor(httpUrl, "refused", refused),
      ];
      const [deadBefore = 0, refusedBefore = 0] = await count();
      const topic = `payload/case_${i}`;
      await publish(mqttPort, topic, payload);
      await bystanders.undisturbed();
      const series = await storedSeries(httpUrl, `payload~case_${i}`);
      for (const one of stored) assert.ok(series.includes(`payload~case_${i}.${one}`), `${series}`);
      if (stored.length === 0) assert.deepEqual(series, []);
      const letter = (await deadLetters(httpUrl)).find((letter) => letter.topic === topic);
      assert.equal(letter?.reason, dead);
      assert.deepEqual(await count(), [
        dead === undefined ? 0 : deadBefore + 1,
        refused === undefined ? 0 : refusedBefore + 1,
      ]);
      if (letter !== undefined) assert.notEqual(letter.detail, "");
    });
  }
  await t.step("the newest of all shards come first", async () => {
    const dead = cases.flatMap(({ dead }, i) => dead === undefined ? [] : [`payload/case_${i}`]);
    const newest = await newestDeadLetters(httpUrl, 7);
    assert.deepEqual(newest.map(({ topic }) => topic), dead.toReversed().slice(0, 7));
  });
  await t.step("all of them tried again are all there again", async () => {
    const { length } = await deadLetters(httpUrl);
    assert.equal(length, cases.filter(({ dead }) => dead !== undefined).length);
    assert.equal(await replayDeadLetters(httpUrl, {}), length);
    await until("they are back", async () => (await deadLetters(httpUrl)).length === length);
    assertConserved(await settledBooks(httpUrl));
  });
});
