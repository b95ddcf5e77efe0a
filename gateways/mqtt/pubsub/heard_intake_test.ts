import assert from "node:assert/strict";
import {
  blankOffer,
  type Intake,
  type Offer,
  offerFlags,
  type OfferResult,
  type Origin,
} from "../../../actors/intake.ts";
import { ManualClock } from "../../../runtime/clock.ts";
import { HeardIntake } from "./heard_intake.ts";
import { memoryPubSub } from "./testing/memory_pubsub.ts";

const utf8 = new TextEncoder();
const origin: Origin = {
  transport: "http",
  originHash: 0,
  settled() {},
  settledEnd() {},
  resume() {},
};

function offerOf(topic: string, payload: string): Offer {
  const bytes = utf8.encode(topic + payload);
  const at = utf8.encode(topic).length;
  return {
    ...blankOffer(),
    bytes,
    topicEnd: at,
    payloadStart: at,
    payloadEnd: bytes.length,
    flags: offerFlags.dup,
  };
}

Deno.test("what is taken is heard, once; what is refused or made up by an edge is not", async () => {
  let result: OfferResult = "accepted";
  let forgotten = 0;
  const seen: number[] = [];
  const inner: Intake = {
    offer: (_origin, { flags }) => {
      seen.push(flags);
      return result;
    },
    deny() {},
    flush: () => true,
    forget: () => forgotten++,
  };
  const { pubsub } = memoryPubSub(new ManualClock());
  const intake = new HeardIntake(inner, pubsub);
  assert.equal(intake.offer(origin, offerOf("a/b", "0")), "accepted");
  const heard: string[] = [];
  await pubsub.listen({
    names: new Set(),
    ready: true,
    deliver: ({ topic, payload }, { qos, retain }) => {
      heard.push(`${topic} ${new TextDecoder().decode(payload)} ${qos} ${retain}`);
    },
  }, "#");
  const offer = offerOf("a/b", "1");
  intake.offer(origin, offer);
  assert.equal(offer.flags, offerFlags.dup);
  intake.offer(origin, offerOf("$weather/roof", "2"));
  for (const other of ["full", { outcome: "refused", reason: "no_route" }] as const) {
    result = other;
    assert.equal(intake.offer(origin, offerOf("a/b", "3")), other);
  }
  assert.deepEqual(heard, ["a/b 1 1 false"]);
  assert.deepEqual(seen, Array(5).fill(offerFlags.dup));
  intake.forget(origin);
  assert.equal(forgotten, 1);
});
