import assert from "node:assert/strict";
import { ManualClock } from "../../../runtime/clock.ts";
import { SessionHarness } from "../endpoint/testing.ts";
import { messagesIn, say, subscribeTo } from "../conformance/testing.ts";
import { memoryPubSub } from "./testing/memory_pubsub.ts";
import { SystemTopics } from "./system_topics.ts";

const uptime = "$SYS/broker/uptime";

Deno.test("only what changed goes out; all of it is found", () => {
  const topics = new SystemTopics();
  assert.equal(topics.update({ [uptime]: "1", "$SYS/broker/version": "v" }).length, 2);
  assert.deepEqual(
    topics.update({ [uptime]: "2", "$SYS/broker/version": "v" }).map(({ topic }) => topic),
    [uptime],
  );
  assert.equal(topics.page("$SYS/#").messages.length, 2);
  assert.equal(topics.page("#").messages.length, 0);
});

// Shows 5: 4.7.2-1; 3.1.1: 4.7.2-1.
Deno.test("the server's topics are found by filters that begin with $SYS, and by no others", async () => {
  for (const version of [4, 5] as const) {
    const clock = new ManualClock();
    const { pubsub } = memoryPubSub(clock);
    const harness = new SessionHarness({ messages: pubsub });
    pubsub.announce({ [uptime]: "1 seconds" });
    const all = await harness.connected({ version, clientId: "all" });
    const system = await harness.connected({ version, clientId: "system" });
    assert.deepEqual(messagesIn(await say(all, version, subscribeTo("#"))), []);
    const [kept] = messagesIn(await say(system, version, subscribeTo("$SYS/broker/+")));
    assert.deepEqual([kept?.topic, kept?.retain], [uptime, true]);
    pubsub.announce({ [uptime]: "2 seconds" });
    await say(all, version, { kind: "pingreq" });
    const [next] = messagesIn(await say(system, version, { kind: "pingreq" }));
    assert.equal(new TextDecoder().decode(next?.payload), "2 seconds");
    assert.equal(next?.retain, false);
    assert.deepEqual(messagesIn(all.sent(version)), []);
  }
});
