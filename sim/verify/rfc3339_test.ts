import assert from "node:assert/strict";
import { TimeReader } from "./rfc3339.ts";

Deno.test("time reader: exact to the ns, before and after the origin", () => {
  const times = new TimeReader(Date.UTC(2026, 0, 1));
  const cases: readonly (readonly [text: string, ns: number])[] = [
    ["2026-01-01T00:00:00Z", 0],
    ["2026-01-01T00:00:00.5Z", 500_000_000],
    ["2026-01-01T00:00:00.000000001Z", 1],
    ["2026-01-01T00:00:01.123456789Z", 1_123_456_789],
    ["2025-12-31T23:59:59.999999999Z", -1],
    ["2026-04-11T00:00:00.000000007Z", 100 * 86_400e9 + 7],
  ];
  for (const [text, ns] of cases) assert.equal(times.ns(text), ns, text);
});

Deno.test("time reader: anything else is refused", () => {
  const times = new TimeReader(0);
  for (const text of ["", "2026-01-01", "2026-01-01T00:00:00+02:00", "2026-01-01T00:00:00.Z"]) {
    assert.throws(() => times.ns(text), SyntaxError, text);
  }
});
