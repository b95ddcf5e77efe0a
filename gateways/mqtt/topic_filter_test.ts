import assert from "node:assert/strict";
import fc from "fast-check";
import { filterCovers, filterMatches, isFilter } from "./topic_filter.ts";

Deno.test("wildcards stand alone in their levels, and # last", () => {
  for (const text of ["a", "#", "+", "/", "//", "a/+/b", "+/+", "a/#", "/+", "+/#", "$SYS/#"]) {
    assert.equal(isFilter(text), true, text);
  }
  for (const text of ["", "a#", "#/a", "a+/b", "+a", "a/#/b", "##", "++", "a/b#"]) {
    assert.equal(isFilter(text), false, text);
  }
});

Deno.test("topic filters match as MQTT 5 §4.7 says", () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ["a/b", "a/b", true],
    ["a/b", "a/B", false],
    ["a/+", "a/b", true],
    ["a/+", "a", false],
    ["a/+", "a/", true],
    ["a/+", "a/b/c", false],
    ["a/#", "a", true],
    ["a/#", "a/b/c", true],
    ["a/#", "ab", false],
    ["+", "/a", false],
    ["+/+", "/a", true],
    ["#", "a/b", true],
    ["#", "$SYS/a", false],
    ["+/a", "$SYS/a", false],
    ["$SYS/#", "$SYS/a", true],
    ["a", "a/#", false],
  ];
  for (const [filter, topic, expected] of cases) {
    assert.equal(filterMatches(filter, topic), expected, `${filter} ${topic}`);
  }
});

Deno.test("a filter that covers another matches all that it matches", () => {
  const level = fc.constantFrom("a", "b", "");
  const topics = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join("/"));
  const filters = fc.tuple(
    fc.array(fc.constantFrom("a", "b", "", "+"), { minLength: 1, maxLength: 3 }),
    fc.boolean(),
  ).map(([levels, rest]) => [...levels, ...(rest ? ["#"] : [])].join("/"));
  fc.assert(
    fc.property(filters, filters, topics, (wide, narrow, topic) => {
      if (filterCovers(wide, narrow) && filterMatches(narrow, topic)) {
        assert.ok(filterMatches(wide, topic), `${wide} ${narrow} ${topic}`);
      }
    }),
    { seed: 7, numRuns: 3_000 },
  );
  assert.equal(filterCovers("a/+", "a/#"), false);
  assert.equal(filterCovers("#", "$SYS/#"), false);
  assert.equal(filterCovers("a/#", "a/+/c"), true);
});
