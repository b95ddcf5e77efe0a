import assert from "node:assert/strict";
import { TestSystem } from "../runtime/testing/test_system.ts";
import { compileRoutes } from "./route_table.ts";
import { spawnTopicSweep } from "./topic_sweep.ts";
import { TopicTable } from "./topic_table.ts";

const utf8 = new TextEncoder();

Deno.test("a topic is forgotten between one and two times the idle time after it was used", async () => {
  const test = new TestSystem();
  const topics = new TopicTable(compileRoutes([]), { gatewayId: "g", hashSeed: 3 });
  const hear = (topic: string) => topics.lookup(utf8.encode(topic), 0, topic.length);
  spawnTopicSweep(test.system, topics, 1_000);
  test.run();
  for (let i = 0; i < 500; i++) hear(`UPB/${i}`);
  test.advance(900);
  const used = hear("UPB/7");
  test.advance(1_000);
  assert.equal(topics.size, 500);
  assert.equal(hear("UPB/7"), used);
  test.advance(1_000);
  assert.equal(topics.size, 1);
  assert.equal(hear("UPB/7"), used);
  test.advance(2_000);
  assert.equal(topics.size, 0);
  await test.stop();
});
