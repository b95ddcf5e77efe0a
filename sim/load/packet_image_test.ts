import assert from "node:assert/strict";
import { packetTypes } from "../../gateways/mqtt/codec/packet_type.ts";
import { type Publish, PublishView } from "../../gateways/mqtt/codec/publish.ts";
import { loadModelNames, loadModels } from "../load_model.ts";
import { testPlan } from "../testing/test_plan.ts";
import { PacketImage } from "./packet_image.ts";

/** The whole of `bytes`, whose fixed header is two bytes. */
function publishIn(bytes: Uint8Array, version: 4 | 5): Publish {
  assert.equal(bytes[0]! >> 4, packetTypes.publish);
  assert.equal(bytes[1], bytes.length - 2);
  const view = new PublishView();
  view.read(version, bytes[0]! & 0x0f, bytes, 2, bytes.length);
  return view.copy();
}

Deno.test("packet image: every model, QoS and version is a PUBLISH with what was asked", () => {
  for (const name of loadModelNames) {
    for (const qos of [0, 1, 2] as const) {
      for (const version of [4, 5] as const) {
        const model = loadModels[name];
        const image = new PacketImage(testPlan({ model, topic: "a/{n}", qos, version }), 42);
        const out = new Uint8Array(image.length + 7);
        for (const [counter, packetId, dup] of [[0, 1, false], [9, 65_535, qos > 0]] as const) {
          assert.equal(image.write(out, 5, counter, packetId, dup), 5 + image.length);
          const publish = publishIn(out.subarray(5, 5 + image.length), version);
          assert.equal(publish.topic, "a/42");
          assert.equal(publish.qos, qos);
          assert.equal(publish.dup, dup);
          assert.equal(publish.packetId, qos === 0 ? 0 : packetId);
          JSON.parse(new TextDecoder().decode(publish.payload));
        }
        assert.deepEqual([...out.subarray(0, 5)], [0, 0, 0, 0, 0]);
      }
    }
  }
});

Deno.test("packet image: a packet does not remember the one before", () => {
  const image = new PacketImage(testPlan(), 0);
  const once = new Uint8Array(image.length);
  const twice = new Uint8Array(image.length);
  image.write(once, 0, 3, 4, false);
  image.write(twice, 0, 999_999_999, 65_535, true);
  image.write(twice, 0, 3, 4, false);
  assert.deepEqual(twice, once);
});

Deno.test("packet image: poison comes as often as asked, and is no JSON", () => {
  const image = new PacketImage(testPlan({ poisonEvery: 3 }), 0);
  const out = new Uint8Array(image.length);
  const broken = Array.from({ length: 7 }, (_, counter) => {
    image.write(out, 0, counter, 1, false);
    const text = new TextDecoder().decode(publishIn(out, 4).payload);
    try {
      JSON.parse(text);
      return false;
    } catch {
      return true;
    }
  });
  assert.deepEqual(broken, [false, false, true, false, false, true, false]);
});

Deno.test("packet image: time is exact to the ms over years", () => {
  const plan = testPlan({ startMs: 1_764_000_000_000, stepMs: 86_400_000 });
  const image = new PacketImage(plan, 0);
  const out = new Uint8Array(image.length);
  for (const counter of [0, 1, 364, 3_650]) {
    image.write(out, 0, counter, 1, false);
    const text = new TextDecoder().decode(publishIn(out, 4).payload);
    assert.match(text, new RegExp(`"ts":${plan.startMs + counter * plan.stepMs}}$`));
  }
});
