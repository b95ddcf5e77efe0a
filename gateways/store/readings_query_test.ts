import assert from "node:assert/strict";
import { formatCursor } from "./page_cursor.ts";
import { parseReadingsQuery } from "./readings_query.ts";

function parse(text: string): ReturnType<typeof parseReadingsQuery> {
  return parseReadingsQuery(new Map(new URLSearchParams(text)));
}

function problems(text: string): readonly string[] {
  const parsed = parse(text);
  return "problems" in parsed
    ? parsed.problems.map(({ parameter, message }) => `${parameter} ${message}`)
    : [];
}

Deno.test("without parameters everything is read, oldest first, a thousand at a time", () => {
  assert.deepEqual(parse("device=&limit="), {
    query: {
      device: undefined,
      metric: undefined,
      from: -(2n ** 63n) + 2n,
      to: 2n ** 63n - 1n,
      aggregate: undefined,
      every: undefined,
      limit: 1_000,
      descending: false,
      after: undefined,
    },
  });
});

Deno.test("every parameter is taken", () => {
  const after = { time: -5n, series: 3, slot: 1 };
  const text = "device=d&metric=m&from=1700000000&to=1700000001&every=90s&agg=max&limit=5" +
    `&sort=desc&cursor=${formatCursor(after)}`;
  assert.deepEqual(parse(text), {
    query: {
      device: "d",
      metric: "m",
      from: 1_700_000_000_000_000_000n,
      to: 1_700_000_001_000_000_000n,
      aggregate: "max",
      every: 90_000_000_000n,
      limit: 5,
      descending: true,
      after,
    },
  });
});

Deno.test("every without agg is the mean", () => {
  const parsed = parse("every=1d");
  assert.ok("query" in parsed);
  assert.equal(parsed.query.aggregate, "mean");
});

Deno.test("all that is wrong is said at once, with what is allowed", () => {
  assert.deepEqual(problems("agg=median&limit=0&sort=up&every=5&from=soon&cursor=%00&who=me"), [
    "who is not known; known are device, metric, from, to, every, agg, limit, sort, cursor",
    "from must be RFC 3339 with a zone, or seconds, ms, µs or ns since the epoch",
    "every must be a length of time such as 10s, 5m, 1h or 1d, up to 10 years",
    "agg must be one of mean, min, max, sum, count, first, last",
    "limit must be a whole number from 1 to 10000",
    "sort must be asc or desc",
    "cursor must be the `next` of the page before",
  ]);
  assert.deepEqual(problems("from=2&to=2"), ["to must be after from"]);
  for (const limit of ["10001", "-1", "1.5", "1e3", "x"]) {
    assert.equal(problems(`limit=${limit}`).length, 1, limit);
  }
  for (const every of ["0s", "1y", "s", "1.5s", "999999999d", "-1s"]) {
    assert.equal(problems(`every=${every}`).length, 1, every);
  }
  assert.equal(problems(`device=${"x".repeat(2_000)}`).length, 1);
});
