import assert from "node:assert/strict";
import type { RestartType, SupervisionSpec } from "./actor.ts";
import {
  checkSupervision,
  type ChildExit,
  countsTogether,
  decide,
  restartGroup,
  supervisionDefault,
} from "./supervisor.ts";

const restarted: readonly [RestartType, ChildExit, boolean][] = [
  ["permanent", "failed", true],
  ["permanent", "completed", true],
  ["transient", "failed", true],
  ["transient", "completed", false],
  ["temporary", "failed", false],
  ["temporary", "completed", false],
];
for (const [restart, exit, again] of restarted) {
  Deno.test(`a ${restart} child that ${exit} is ${again ? "" : "not "}restarted`, () => {
    const decision = decide(supervisionDefault, restart, exit, [], 7);
    assert.deepEqual(decision, again ? { kind: "restart", window: [7] } : { kind: "remove" });
  });
}

for (const onExceeded of ["escalate", "quarantine", "stop"] as const) {
  Deno.test(`too many restarts are ${onExceeded}`, () => {
    const spec: SupervisionSpec = { ...supervisionDefault, intensity: 1, onExceeded };
    const decision = decide(spec, "permanent", "failed", [1], 2);
    assert.deepEqual(decision, { kind: "exceeded", then: onExceeded });
    assert.equal(countsTogether(spec), onExceeded === "escalate");
  });
}

Deno.test("an end that is not followed by a restart does not count", () => {
  const spec = { ...supervisionDefault, intensity: 0 };
  assert.deepEqual(decide(spec, "temporary", "failed", [], 0), { kind: "remove" });
});

Deno.test("the strategy says who goes along, in start order", () => {
  const children = ["a", "b", "c", "d"];
  assert.deepEqual(restartGroup("one_for_one", children, "b"), ["b"]);
  assert.deepEqual(restartGroup("one_for_all", children, "b"), children);
  assert.deepEqual(restartGroup("rest_for_one", children, "b"), ["b", "c", "d"]);
});

for (const bad of [{ intensity: -1 }, { intensity: 0.5 }, { periodMs: 0 }, { periodMs: NaN }]) {
  Deno.test(`supervision with ${Object.entries(bad).join()} is refused`, () => {
    assert.throws(() => checkSupervision({ ...supervisionDefault, ...bad }), RangeError);
  });
}
