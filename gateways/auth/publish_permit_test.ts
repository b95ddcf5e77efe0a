import assert from "node:assert/strict";
import fc from "fast-check";
import { filterMatches } from "../mqtt/topic_filter.ts";
import { PublishPermit } from "./publish_permit.ts";

const utf8 = new TextEncoder();

function allows(permit: PublishPermit, topic: string): boolean {
  const bytes = utf8.encode(`xx${topic}yy`);
  return permit.allows(bytes, 2, bytes.length - 2);
}

Deno.test("on bytes as on text, whatever was asked before", () => {
  const level = fc.constantFrom("a", "ab", "", "ü", "$x");
  const topics = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join("/"))
    .filter((topic) => topic !== "");
  const filters = fc.tuple(
    fc.array(fc.oneof(level, fc.constant("+")), { minLength: 0, maxLength: 3 }),
    fc.boolean(),
  ).map(([levels, rest]) => [...levels, ...(rest ? ["#"] : [])].join("/"))
    .filter((filter) => filter !== "");
  fc.assert(
    fc.property(
      fc.array(filters, { maxLength: 3 }),
      fc.array(topics, { minLength: 1, maxLength: 5 }),
      (granted, asked) => {
        const permit = new PublishPermit(granted);
        for (const topic of [...asked, ...asked]) {
          const expected = granted.some((filter) => filterMatches(filter, topic));
          assert.equal(allows(permit, topic), expected, `${granted} ${topic}`);
        }
      },
    ),
    { seed: 11, numRuns: 5_000 },
  );
});

Deno.test("no filter allows nothing, `#` all but `$`", () => {
  assert.equal(allows(new PublishPermit([]), "a"), false);
  assert.equal(allows(new PublishPermit(["#"]), "a/b"), true);
  assert.equal(allows(new PublishPermit(["#"]), "$SYS/b"), false);
});
