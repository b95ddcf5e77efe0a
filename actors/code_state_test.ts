import assert from "node:assert/strict";
import fc from "fast-check";
import { CodeStateError, stateOf, type StateRefusal, stateText } from "./code_state.ts";

const refusalOf = (state: unknown, bytesMax = 1_000): CodeStateError => {
  try {
    return assert.fail(`kept as ${stateText(state, bytesMax)}`);
  } catch (error) {
    if (error instanceof CodeStateError) return error;
    throw error;
  }
};

Deno.test("every value of JSON is kept as it is, when there is room", () => {
  fc.assert(fc.property(fc.jsonValue({ maxDepth: 8 }), fc.nat(200), (state, bytesMax) => {
    const text = JSON.stringify(state);
    const bytes = new TextEncoder().encode(text).length;
    if (bytes > bytesMax) assert.equal(refusalOf(state, bytesMax).reason, "too_large");
    else assert.equal(stateText(state, bytesMax), text);
  }));
});

Deno.test("whatever is kept comes back equal, and all else is refused", () => {
  const anything = fc.anything({ withDate: true, withMap: true, withSet: true, withBigInt: true });
  let kept = 0;
  fc.assert(fc.property(anything, (state) => {
    const text = stateOf({ save: () => state }, 1_000);
    if (typeof text !== "string") return;
    kept++;
    const back: unknown = JSON.parse(text);
    assert.equal(JSON.stringify(back), text);
    // Apart from -0, members that are undefined, and who an object inherits from: `==` compares.
    assert.ok(isSame(back, state), text);
  }));
  assert.ok(kept > 0);
});

function isSame(back: unknown, state: unknown): boolean {
  if (typeof back !== "object" || back === null || typeof state !== "object" || state === null) {
    return back === state;
  }
  const members = Object.entries(state).filter(([, member]) => member !== undefined);
  return Array.isArray(back) === Array.isArray(state) &&
    Object.keys(back).length === members.length &&
    members.every(([key, member]) =>
      isSame(Object.getOwnPropertyDescriptor(back, key)?.value, member)
    );
}

Deno.test("what is no JSON is told where it is and what", () => {
  const circle: { deep: { self?: unknown } } = { deep: {} };
  circle.deep.self = circle;
  const gaps: number[] = [];
  gaps[1_000_000_000] = 1;
  const cases: [state: unknown, told: RegExp][] = [
    [{ mean: { of: [1, NaN] } }, /returned NaN at mean\.of\.1, which is no JSON/],
    [{ seen: new Map() }, /returned an object of class Map at seen/],
    [new Date(0), /returned an object of class Date, which/],
    [{ n: 1n }, /returned a bigint at n/],
    [{ toJSON: () => 1 }, /returned a function at toJSON/],
    [[undefined], /returned undefined at 0/],
    [gaps, /returned undefined at 0/],
    [circle, /more than 32 levels, or a circle at deep\.self/],
  ];
  for (const [state, told] of cases) {
    const { reason, message } = refusalOf(state);
    assert.equal(reason, "not_json");
    assert.match(message, told);
    assert.ok(message.length <= 300);
  }
});

Deno.test("a state is measured in bytes, and one far too large is never written", () => {
  assert.equal(stateText("é", 4), '"é"');
  assert.match(
    refusalOf("é", 3).message,
    /returned 4 bytes of JSON; a device may keep 3 \(device\./,
  );
  // As text it would have 2 GB.
  const row = "x".repeat(1 << 20);
  assert.equal(refusalOf(Array(2_000).fill(row), 4_096).reason, "too_large");
  assert.equal(refusalOf("\u0001".repeat(90), 100).reason, "too_large");
});

Deno.test("a save that throws gives the reason, and none at all gives nothing", () => {
  const reasonOf = (save: () => unknown): StateRefusal | undefined => {
    const state = stateOf({ save }, 100);
    return state instanceof CodeStateError ? state.reason : undefined;
  };
  const failed = stateOf({
    save: () => {
      throw new RangeError("no way");
    },
  }, 100);
  assert.ok(failed instanceof CodeStateError);
  assert.match(failed.message, /save\(\) threw RangeError: no way at .*code_state_test\.ts:\d+/);
  assert.equal(
    reasonOf(() => {
      throw null;
    }),
    "threw",
  );
  assert.equal(stateOf({}, 100), undefined);
  assert.equal(stateOf({ save: () => undefined }, 100), undefined);
});

Deno.test("a promise is no state, and its failure is nobody else's", async () => {
  const refused = stateOf({ save: () => Promise.reject(new Error("later")) }, 100);
  assert.ok(refused instanceof CodeStateError);
  assert.match(refused.message, /class Promise/);
  await new Promise((done) => setTimeout(done, 1));
});
