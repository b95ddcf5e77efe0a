import assert from "node:assert/strict";
import fc from "fast-check";
import { packBatches, unpackBatches } from "./point_frame.ts";
import { batchOf } from "./testing/batches.ts";

const reading = fc.tuple(
  fc.string({ unit: "grapheme", maxLength: 6 }).filter((id) => id.isWellFormed()),
  fc.stringMatching(/^[a-z =,0-9]{0,20}\n$/),
);
const batches = fc.array(fc.array(reading, { maxLength: 6 }), { maxLength: 4 });

Deno.test("batches come out as they went in", () => {
  fc.assert(fc.property(batches, (readings) => {
    const given = readings.map(batchOf);
    const frame = packBatches(given);
    assert.deepEqual(unpackBatches(frame), given);
  }));
});

Deno.test("arrays longer than the count are cut to it", () => {
  const batch = batchOf([["d", "m v=1 1\n"], ["e", "m v=2 2\n"]]);
  const roomy = {
    ...batch,
    lineEnds: Uint32Array.of(...batch.lineEnds, 99, 99),
    deviceOf: Uint32Array.of(...batch.deviceOf, 99, 99),
  };
  assert.deepEqual(unpackBatches(packBatches([roomy])), [batch]);
});

Deno.test("a broken frame is an error or other batches, never a crash", () => {
  fc.assert(fc.property(batches, fc.nat(), fc.nat(255), (readings, where, byte) => {
    const frame = packBatches(readings.map(batchOf));
    new Uint8Array(frame)[where % frame.byteLength] = byte;
    try {
      for (const { lineEnds, lines, deviceOf, devices } of unpackBatches(frame)) {
        assert.ok(lineEnds.every((end) => end <= lines.length));
        assert.ok(deviceOf.every((slot) => slot < devices.length));
      }
    } catch (thrown) {
      assert.ok(thrown instanceof RangeError);
    }
  }));
  for (let length = 0; length < 40; length++) {
    const frame = packBatches([batchOf([["d", "m v=1 1\n"]])]);
    assert.throws(() => unpackBatches(frame.slice(0, length)), RangeError);
  }
});
