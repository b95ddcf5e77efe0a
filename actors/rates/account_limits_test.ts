import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type AccountLimits,
  changedLimits,
  hasLimits,
  limitedAccountsMax,
  OwnLimits,
  parseAccountLimits,
  parseLimitsChange,
} from "./account_limits.ts";

const refused: readonly (readonly [unknown, RegExp])[] = [
  [undefined, /are an object/],
  [[], /are an object/],
  [{ message: "1:1" }, /unknown limit "message"; allowed: messages, points/],
  [{ messages: 5 }, /messages is a rate such as/],
  [{ points: "20/s" }, /is no count:seconds/],
  [{ messages: "" }, /is no count:seconds/],
  [{ sessionsMax: 0 }, /sessionsMax is an integer from 1 to/],
  [{ retainedMax: 1.5 }, /retainedMax is an integer/],
  [{ subscriptionsMax: "5" }, /subscriptionsMax is an integer/],
];

for (const [value, expected] of refused) {
  Deno.test(`refused as limits: ${JSON.stringify(value)}`, () => {
    assert.throws(() => parseLimitsChange(value), expected);
  });
}

const rate = fc.constantFrom("1:1", "20:1,600:60");
const count = fc.integer({ min: 1, max: 9 });
const limits: fc.Arbitrary<AccountLimits> = fc.record({
  messages: rate,
  points: rate,
  sessionsMax: count,
  subscriptionsMax: count,
  retainedMax: count,
}, { requiredKeys: [] });

Deno.test("a change sets what it names, takes away what is null, and leaves the rest", () => {
  fc.assert(
    fc.property(limits, limits, fc.constantFrom("messages", "sessionsMax"), (a, b, gone) => {
      const after = changedLimits(a, parseLimitsChange({ ...b, [gone]: null }));
      const { [gone]: _, ...expected } = { ...a, ...b };
      assert.deepEqual(after, expected);
      assert.deepEqual(parseAccountLimits(JSON.parse(JSON.stringify(after))), after);
      assert.equal(hasLimits(after), Object.keys(expected).length > 0);
    }),
  );
});

Deno.test("so many accounts have limits of their own; one that has none any more makes room", () => {
  const own = new OwnLimits();
  const limits = { sessionsMax: 1 };
  for (let i = 0; i < limitedAccountsMax; i++) assert.ok(own.set({ name: `${i}`, limits }));
  assert.equal(own.set({ name: "late", limits }), false);
  assert.ok(own.set({ name: "0", limits: { sessionsMax: 2 } }));
  assert.ok(own.set({ name: "1", limits: {} }));
  assert.ok(own.set({ name: "late", limits }));
  assert.deepEqual([own.of("0"), own.of("1"), own.of("late")], [{ sessionsMax: 2 }, {}, limits]);
});
