import assert from "node:assert/strict";
import { FakeIntake } from "../../mqtt/endpoint/testing.ts";
import { ManualClock } from "../../../runtime/clock.ts";
import { Problem } from "../problem.ts";
import { type Publication, publishMessage, publishTopic } from "./publish_topic.ts";

const publication: Publication = {
  topic: "a/b",
  payload: new TextEncoder().encode("1"),
  qos: 1,
  retain: false,
  account: "",
  properties: {},
  nameHash: 0,
};
const notSettled = (cause: unknown): boolean =>
  cause instanceof Problem && cause.type === "not-settled";

Deno.test("a message that could not be kept for subscribers who are away is asked for again", async () => {
  const messages = { publish: () => true, flush: () => false };
  assert.throws(() => publishMessage(messages, publication), notSettled);
  const intake = new FakeIntake();
  const clock = new ManualClock();
  const stalled = () => false;
  const parts = { intake, messages, clock, sender: undefined, settleMs: 1_000, stalled };
  const answer = publishTopic(parts, publication);
  await new Promise<void>((resolve) => setTimeout(resolve));
  intake.settle([0]);
  await assert.rejects(answer, notSettled);
});
