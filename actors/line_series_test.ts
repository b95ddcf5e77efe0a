import fc from "fast-check";
import assert from "node:assert/strict";
import { isWritableName } from "./line_protocol.ts";
import {
  parseSeries,
  seriesKey,
  seriesOfLevel,
  seriesTopic,
  seriesTopicStart,
} from "./line_series.ts";

/** Names that line protocol holds without changing them. */
const name = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }).filter((text) =>
  // A backslash before a character that is escaped has two readings: stores do not agree on it.
  isWritableName(text) && !/[\n\r\t\0\\]/.test(text) &&
  !["time", "_measurement", "_field"].includes(text)
);
const series = fc.record({
  measurement: name,
  tags: fc.dictionary(name, name, { maxKeys: 4, noNullPrototype: true }).map((tags) =>
    Object.entries(tags).sort(([a], [b]) => a < b ? -1 : 1)
  ),
}, { noNullPrototype: true });

Deno.test("a series comes back from its key and from its topic", () => {
  fc.assert(
    fc.property(series, (one) => {
      assert.deepEqual(parseSeries(seriesKey(one)), one);
      const topic = seriesTopic(one);
      assert.ok(!/[+#\0\n]/.test(topic));
      assert.equal(topic.split("/").length, 2);
      assert.deepEqual(seriesOfLevel(topic.slice(seriesTopicStart.length)), one);
    }),
    { seed: 1 },
  );
});

const bad: readonly (readonly [key: string, problem: RegExp])[] = [
  ["", /measurement is empty/],
  [",a=b", /measurement is empty/],
  ["m,", /no tag=value/],
  ["m,a", /no tag=value/],
  ["m,a=b=c", /no tag=value/],
  ["m,a=", /no tag can have/],
  ["m,=b", /no tag can have/],
  ["m,time=1", /no tag can have/],
  ["m,a=1,a=2", /comes twice/],
];
for (const [key, problem] of bad) {
  Deno.test(`no series: ${JSON.stringify(key)}`, () => {
    const parsed = parseSeries(key);
    assert.ok(typeof parsed === "string");
    assert.match(parsed, problem);
  });
}

Deno.test("a topic with a broken escape names no series", () => {
  assert.equal(typeof seriesOfLevel("m%zz"), "string");
});
