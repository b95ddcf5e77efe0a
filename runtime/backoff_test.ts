import assert from "node:assert/strict";
import fc from "fast-check";
import { backoffDelayMs, checkBackoff } from "./backoff.ts";

const backoff = { minMs: 100, maxMs: 5_000, factor: 2, jitter: 0.2, resetMs: 10_000 };

Deno.test("the wait doubles up to its maximum", () => {
  const waits = [0, 1, 2, 5, 6, 1_000].map((n) => backoffDelayMs(backoff, n, () => 0));
  assert.deepEqual(waits, [100, 200, 400, 3_200, 5_000, 5_000]);
});

Deno.test("property: jitter only shortens, and by its share at most", () => {
  fc.assert(
    fc.property(
      fc.nat(100),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (attempt, random, jitter) => {
        const fullMs = backoffDelayMs(backoff, attempt, () => 0);
        const waitMs = backoffDelayMs({ ...backoff, jitter }, attempt, () => random);
        assert.ok(waitMs <= fullMs && waitMs >= fullMs * (1 - jitter) - 1e-9);
      },
    ),
    { seed: 3 },
  );
});

for (
  const bad of [
    { minMs: -1 },
    { maxMs: 50 },
    { maxMs: Infinity },
    { factor: 0.5 },
    { jitter: 1.1 },
    { jitter: NaN },
    { resetMs: -1 },
  ]
) {
  Deno.test(`backoff with ${Object.entries(bad).join()} is refused`, () => {
    assert.throws(() => checkBackoff({ ...backoff, ...bad }), RangeError);
  });
}
