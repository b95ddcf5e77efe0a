import assert from "node:assert/strict";
import fc from "fast-check";
import { anyText } from "./testing/any_text.ts";
import { cellSettings, pathIds, pathStep } from "./settings.ts";

const start = () => ({ receive() {} });

Deno.test("defaults are those of the child spec's documentation", () => {
  const { bounds, start: _, ...settings } = cellSettings({ kind: "a", start });
  assert.equal(bounds.countMax, 1_000);
  assert.deepEqual(settings, {
    kind: "a",
    restart: "permanent",
    shutdownMs: 5_000,
    mailOnCrash: "redeliver",
    redeliveriesMax: 0,
    supervision: {
      strategy: "one_for_one",
      intensity: 3,
      periodMs: 5_000,
      onExceeded: "escalate",
    },
    stashMax: 100,
    stopChildren: "reverse",
    passivates: false,
  });
});

for (const bad of [{ shutdownMs: -1 }, { redeliveriesMax: NaN }, { stashMax: -1 }]) {
  Deno.test(`a spec with ${Object.entries(bad).join()} is refused by name`, () => {
    assert.throws(() => cellSettings({ kind: "a", start, ...bad }), (e) => {
      return e instanceof RangeError && e.message.includes(Object.keys(bad)[0]!);
    });
  });
}

Deno.test("property: ids of any text come back from their path", () => {
  fc.assert(
    fc.property(fc.array(anyText(), { minLength: 1 }), (ids) => {
      assert.deepEqual(pathIds(ids.map(pathStep).join("/")), ids);
    }),
    { seed: 8 },
  );
});
