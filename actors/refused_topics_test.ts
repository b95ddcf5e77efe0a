import assert from "node:assert/strict";
import { mergeRefusedTopics, RefusedTopics, refusedTopicsMax } from "./refused_topics.ts";

const utf8 = new TextEncoder();

function note(topics: RefusedTopics, topic: string, nowMs: number, reason = "no_route"): boolean {
  const bytes = utf8.encode(`<${topic}>`);
  return topics.note(bytes, 1, bytes.length - 1, reason, nowMs);
}

Deno.test("a topic is counted by its reason, and the latest comes first", () => {
  const topics = new RefusedTopics();
  note(topics, "a/b/c", 1);
  note(topics, "d", 2);
  note(topics, "a/b/c", 3, "not_authorized");
  note(topics, "a/b/c", 4);
  assert.deepEqual(topics.list(), {
    items: [
      { topic: "a/b/c", reason: "no_route", count: 2, lastMs: 4 },
      { topic: "a/b/c", reason: "not_authorized", count: 1, lastMs: 3 },
      { topic: "d", reason: "no_route", count: 1, lastMs: 2 },
    ],
    forgotten: 0,
  });
});

Deno.test("a topic is new once, and none is any more when one had to go", () => {
  const topics = new RefusedTopics();
  assert.equal(note(topics, "a", 1), true);
  assert.equal(note(topics, "a", 2), false);
  assert.equal(note(topics, "a", 2, "not_authorized"), true);
  const news = Array.from({ length: 3 * refusedTopicsMax }, (_, i) => note(topics, `t${i}`, i));
  assert.equal(news.filter((isNew) => isNew).length, refusedTopicsMax - 2);
});

Deno.test("of many topics the one that was quiet for the longest time goes, and is counted", () => {
  const topics = new RefusedTopics();
  note(topics, "first", 0);
  for (let i = 1; i < refusedTopicsMax; i++) note(topics, `t${i}`, i);
  note(topics, "first", 1_000);
  note(topics, "new", 1_001);
  note(topics, "newer", 1_002);
  const { items, forgotten } = topics.list();
  assert.equal(items.length, refusedTopicsMax);
  assert.equal(forgotten, 2);
  assert.deepEqual(items.slice(0, 3).map(({ topic }) => topic), ["newer", "new", "first"]);
  assert.ok(!items.some(({ topic }) => topic === "t1" || topic === "t2"));
});

Deno.test("long topics take no more room than their beginning, cut between characters", () => {
  const topics = new RefusedTopics();
  note(topics, "ä".repeat(128), 1);
  note(topics, "a" + "ä".repeat(30_000), 2);
  note(topics, "a" + "ä".repeat(20_000), 3);
  assert.deepEqual(topics.list().items.map(({ topic, count }) => [topic, count]), [
    [`a${"ä".repeat(127)}…`, 2],
    ["ä".repeat(128), 1],
  ]);
});

Deno.test("the lists of all shards are one, no longer than each", () => {
  const lists = [0, 1].map((shard) => {
    const topics = new RefusedTopics();
    for (let i = 0; i < refusedTopicsMax; i++) note(topics, `${shard}/${i}`, 2 * i + shard);
    return topics.list();
  });
  const { items, forgotten } = mergeRefusedTopics(lists);
  assert.equal(items.length, refusedTopicsMax);
  assert.equal(forgotten, refusedTopicsMax);
  assert.deepEqual(items.slice(0, 3).map(({ topic }) => topic), ["1/99", "0/99", "1/98"]);
});
