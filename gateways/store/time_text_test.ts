import assert from "node:assert/strict";
import fc from "fast-check";
import { formatCursor, parseCursor } from "./page_cursor.ts";
import { formatTime, parseTime } from "./time_text.ts";

Deno.test("times are written to the nanosecond, before 1970 too", () => {
  assert.equal(formatTime(1574729660000000001n), "2019-11-26T00:54:20.000000001Z");
  assert.equal(formatTime(0n), "1970-01-01T00:00:00.000000000Z");
  assert.equal(formatTime(-1n), "1969-12-31T23:59:59.999999999Z");
});

Deno.test("a time is read as RFC 3339, or as a number by its size", () => {
  for (
    const text of [
      "2019-11-26T03:54:20+03:00",
      "2019-11-26T00:54:20Z",
      "1574729660",
      "1574729660000",
      "1574729660000000",
      "1574729660000000000",
    ]
  ) assert.equal(parseTime(text), 1574729660000000000n, text);
  for (const text of ["", "now", "2019-11-26", "2019-02-30T00:00:00Z", "9".repeat(30)]) {
    assert.equal(parseTime(text), undefined, text);
  }
});

Deno.test("what is written is read back", () => {
  fc.assert(fc.property(fc.bigInt(-9223372036854775806n, 9223372036854775806n), (ns) => {
    assert.equal(parseTime(formatTime(ns)), ns);
    const cursor = { time: ns, series: Number(ns & 0xffffffn), slot: 7 };
    assert.deepEqual(parseCursor(formatCursor(cursor)), cursor);
  }));
});

Deno.test("a cursor that was made up is refused", () => {
  for (const text of ["", "x", "AAAA", "a b", "é", "A".repeat(100), "MS4yLjM0NQ"]) {
    assert.equal(parseCursor(text), undefined, text);
  }
});
