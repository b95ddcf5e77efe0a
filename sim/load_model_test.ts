import assert from "node:assert/strict";
import fc from "fast-check";
import { PacketImage } from "./load/packet_image.ts";
import {
  counterField,
  counterOf,
  loadModelNames,
  loadModels,
  noiseOf,
  storedValue,
  withDevice,
} from "./load_model.ts";
import { testPlan } from "./testing/test_plan.ts";

const utf8 = new TextDecoder();
const payloadAt = (packet: Uint8Array) => utf8.decode(packet.subarray(packet.indexOf(0x7b)));

for (const name of loadModelNames) {
  const model = loadModels[name];

  Deno.test(`load model ${name}: verify expects exactly the numbers that are sent`, () => {
    const numbers = fc.tuple(fc.nat(0xffff_ffff), fc.nat(99_999), fc.nat(999_999_999));
    fc.assert(fc.property(numbers, ([seed, device, counter]) => {
      const plan = testPlan({ model, topic: model.topic, seed, stepMs: 3 });
      const image = new PacketImage(plan, device);
      const packet = new Uint8Array(image.length);
      image.write(packet, 0, counter, 1, false);
      const payload: unknown = JSON.parse(payloadAt(packet));
      const bits = noiseOf(seed, device, counter);
      const expected = model.fields.map((field) => [
        field.key,
        storedValue(field, bits, counter, plan.startMs + counter * plan.stepMs),
      ]);
      const labels = Object.entries(model.labels).map(([key, value]) => [
        key,
        withDevice(value, device),
      ]);
      assert.deepEqual(payload, Object.fromEntries([...labels, ...expected]));
    }));
  });

  Deno.test(`load model ${name}: the counter comes back from the stored value`, () => {
    const field = counterField(model);
    assert.equal(counterOf(storedValue(field, 0, 123, 0)), 123);
  });
}

Deno.test("load models: 91 bytes with 4 numbers to store", () => {
  for (const name of ["bench", "arrival", "station"] as const) {
    const model = loadModels[name];
    const packet = new Uint8Array(new PacketImage(testPlan({ model, topic: "t" }), 0).length);
    new PacketImage(testPlan({ model, topic: "t" }), 0).write(packet, 0, 1, 1, false);
    assert.equal(payloadAt(packet).length, 91, name);
    assert.equal(model.fields.filter(({ stored }) => stored).length, 4, name);
  }
});

Deno.test("load models: topics, tags and ids of a device", () => {
  const named = (name: (typeof loadModelNames)[number]) => {
    const model = loadModels[name];
    const topic = withDevice(model.topic, 12);
    return [topic, model.deviceTag(topic), model.deviceId(topic)];
  };
  const uuid = "00000000-0000-4000-8000-000000000012";
  assert.deepEqual(named("bench"), ["bench/d12", "d12", "d12"]);
  assert.deepEqual(named("station"), ["LOAD/S12", "S12", "LOAD~S12"]);
  assert.deepEqual(named("device"), [`device/${uuid}`, uuid, uuid]);
});

Deno.test("load models: in which series a field is", () => {
  assert.deepEqual(loadModels.station.series("TMP"), {
    measurement: { kind: "ends", suffix: ".TMP" },
    field: "value",
    deviceTag: "station",
  });
  assert.deepEqual(loadModels.bench.series("seq"), {
    measurement: { kind: "is", name: "bench" },
    field: "seq",
    deviceTag: "device",
  });
});
