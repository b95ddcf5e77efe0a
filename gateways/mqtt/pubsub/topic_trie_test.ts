import assert from "node:assert/strict";
import fc from "fast-check";
import { filterMatches } from "../topic_filter.ts";
import { TopicTrie } from "./topic_trie.ts";

const matches: readonly (readonly [filter: string, topic: string, matches: boolean])[] = [
  ["a/b", "a/b", true],
  ["a/b", "a/b/c", false],
  ["a/+", "a/b", true],
  ["a/+", "a", false],
  ["a/+", "a/", true],
  ["+", "a", true],
  ["+", "/a", false],
  ["/+", "/a", true],
  ["+/+", "/a", true],
  ["#", "a/b/c", true],
  ["a/#", "a", true],
  ["a/#", "a/b/c", true],
  ["a/#", "ab", false],
  ["a/+/#", "a", false],
  ["a/+/#", "a/b", true],
  ["+/b/#", "a/b", true],
  ["#", "$SYS/x", false],
  ["+/x", "$SYS/x", false],
  ["$SYS/#", "$SYS/x", true],
  ["$SYS/+", "$SYS/x", true],
  ["a//b", "a//b", true],
  ["a/+/b", "a//b", true],
  ["__proto__/#", "__proto__/constructor", true],
];

for (const [filter, topic, expected] of matches) {
  Deno.test(`${filter} ${expected ? "matches" : "does not match"} ${topic}`, () => {
    const trie = new TopicTrie<string>();
    trie.set(filter, filter);
    assert.deepEqual(trie.match(topic), expected ? [filter] : []);
    assert.equal(filterMatches(filter, topic), expected);
  });
}

const level = fc.constantFrom("", "a", "b", "$SYS", "long");
const topic = fc.array(level, { minLength: 1, maxLength: 4 }).map((names) => names.join("/"));
const filter = fc.tuple(
  fc.array(fc.oneof(level, fc.constant("+")), { minLength: 1, maxLength: 4 }),
  fc.boolean(),
).map(([levels, all]) => all ? [...levels, "#"].join("/") : levels.join("/"));

Deno.test("the trie finds what a naive search of all filters finds, whatever was removed", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.boolean(), filter), { maxLength: 40 }),
      fc.array(topic, { minLength: 1, maxLength: 10 }),
      (steps, topics) => {
        const trie = new TopicTrie<string>();
        const model = new Set<string>();
        for (const [add, name] of steps) {
          if (add) {
            trie.set(name, name);
            model.add(name);
          } else {
            trie.delete(name);
            model.delete(name);
          }
        }
        assert.equal(trie.size, model.size);
        for (const name of model) assert.equal(trie.get(name), name);
        for (const topic of topics) {
          const expected = [...model].filter((name) => filterMatches(name, topic));
          assert.deepEqual(trie.match(topic).toSorted(), expected.toSorted());
        }
      },
    ),
    { seed: 1, numRuns: 500 },
  );
});
