import assert from "node:assert/strict";
import fc from "fast-check";
import { type TimestampFormat, type TimestampOutcome, TimestampReader } from "./timestamp.ts";
import { TimeZone } from "./timestamp_zone.ts";

const utf8 = new TextEncoder();

function read(
  text: string,
  format: TimestampFormat = "auto",
  zone?: string,
): bigint | TimestampOutcome {
  const reader = new TimestampReader();
  // Bytes around it that would continue it.
  const data = utf8.encode(`1${text}2`);
  const outcome = reader.read(
    data,
    1,
    data.length - 1,
    format,
    zone ? new TimeZone(zone) : undefined,
  );
  return outcome === "read" ? BigInt(reader.ms) * 1_000_000n + BigInt(reader.ns) : outcome;
}

const unreadable = "timestamp_unreadable";
const outOfRange = "timestamp_out_of_range";

const cases: [text: string, result: bigint | string, format?: TimestampFormat, zone?: string][] = [
  ["2019-11-26T03:54:20+03:00", 1574729660000000000n],
  ["2023-01-09T12:00:00+0200", 1673258400000000000n],
  ["2023-01-09T10:00:00Z", 1673258400000000000n],
  ["2023-01-09t10:00:00z", 1673258400000000000n],
  ["2023-01-09 10:00:00Z", 1673258400000000000n],
  ["2020-02-12T15:15:45.787Z", 1581520545787000000n],
  ["2021-02-16T19:33:54.413443Z", 1613504034413443000n],
  ["2021-02-16T19:33:54.123456789-05:30", 1613523834123456789n],
  ["2021-02-16T19:33:54.1234567899Z", 1613504034123456789n],
  ["2020-02-29T00:00:00Z", 1582934400000000000n],
  ["1969-12-31T23:59:59.999999999Z", -1n],
  ["2016-12-31T23:59:60Z", 1483228800000000000n],
  ["2021-02-29T00:00:00Z", unreadable],
  ["2021-13-01T00:00:00Z", unreadable],
  ["2021-00-01T00:00:00Z", unreadable],
  ["2021-01-01T24:00:00Z", unreadable],
  ["2021-01-01T00:60:00Z", unreadable],
  ["2021-01-01T00:00:61Z", unreadable],
  ["2021-01-01T00:00:00+24:00", unreadable],
  ["2021-01-01T00:00:00+01:60", unreadable],
  ["2021-01-01T00:00:00+1:00", unreadable],
  ["2021-01-01T00:00:00.Z", unreadable],
  ["2021-01-01T00:00:00Zx", unreadable],
  ["2021-01-01T00:00Z", unreadable],
  ["2021-1-1T00:00:00Z", unreadable],
  ["2021-01-01", unreadable],
  ["2021-01-01T00:00:00", unreadable],
  ["0001-01-01T00:00:00Z", outOfRange],
  ["9999-12-31T23:59:59Z", outOfRange],
  ["1677-09-21T00:12:43.145224194Z", -9223372036854775806n],
  ["1677-09-21T00:12:43.145224193Z", outOfRange],
  ["2262-04-11T23:47:16.854775806Z", 9223372036854775806n],
  ["2262-04-11T23:47:16.854775807Z", outOfRange],
  ["1574729660", 1574729660000000000n],
  ["1574729660123", 1574729660123000000n],
  ["1574729660123456", 1574729660123456000n],
  ["1574729660123456789", 1574729660123456789n],
  ["1574729660.123456789", 1574729660123456789n],
  ["1574729660123.5", 1574729660123500000n],
  ["1574729660123456.25", 1574729660123456250n],
  ["1.574729660123e9", 1574729660123000000n],
  ["1574729660123e-3", 1574729660123000000n],
  ["1.574729660123456789E18", 1574729660123456789n],
  ["0", 0n],
  ["0.0", 0n],
  ["-0", 0n],
  ["-1", -1000000000n],
  ["-0.000000001", -1n],
  ["0.5", 500000000n],
  ["99999999999", outOfRange],
  ["9223372036854775806", 9223372036854775806n],
  ["9223372036854775807", outOfRange],
  ["1e300", outOfRange],
  ["1e-300", 0n],
  ["1e99999999999999999999", outOfRange],
  ["", unreadable],
  ["-", unreadable],
  [".5", unreadable],
  ["5.", unreadable],
  ["1e", unreadable],
  ["1_000", unreadable],
  ["yesterday", unreadable],
  ["1574729660", 1574729660000000n, "ms"],
  ["1574729660", 1574729660000n, "us"],
  ["1574729660", 1574729660n, "ns"],
  ["1574729660123", outOfRange, "s"],
  ["2023-01-09T10:00:00Z", unreadable, "s"],
  ["1574729660", unreadable, "rfc3339"],
  ["2024-01-14T18:03:15", 1705251795000000000n, "auto", "Europe/Berlin"],
  ["2024-07-14T18:03:15", 1720972995000000000n, "auto", "Europe/Berlin"],
  ["2024-01-14T18:03:15Z", 1705255395000000000n, "auto", "Europe/Berlin"],
  // The clocks go back at 03:00: 02:30 comes twice, the first is meant.
  ["2024-10-27T02:30:00", 1729989000000000000n, "auto", "Europe/Berlin"],
  // They go on from 02:00 to 03:00: 02:30 is skipped.
  ["2024-03-31T02:30:00", 1711848600000000000n, "auto", "Europe/Berlin"],
  ["2024-01-14T18:03:15", 1705234695000000000n, "auto", "Asia/Kathmandu"],
  ["0001-01-01T00:00:00", outOfRange, "auto", "Europe/Berlin"],
];

for (const [text, result, format, zone] of cases) {
  Deno.test(`time ${text || "(empty)"}${format ? ` as ${format}` : ""}${zone ? ` in ${zone}` : ""}`, () => {
    assert.equal(read(text, format, zone), result);
  });
}

const anyNs = fc.bigInt({ min: -9223372036854775806n, max: 9223372036854775806n });

Deno.test("every time that fits comes back to the ns, as ns and as fractional seconds", () => {
  fc.assert(
    fc.property(anyNs, (ns) => {
      assert.equal(read(String(ns), "ns"), ns);
      const size = ns < 0n ? -ns : ns;
      const fraction = String(size % 1_000_000_000n).padStart(9, "0");
      assert.equal(read(`${ns < 0n ? "-" : ""}${size / 1_000_000_000n}.${fraction}`, "s"), ns);
    }),
    { seed: 1 },
  );
});

Deno.test("RFC 3339 agrees with Date, whatever the offset", () => {
  const from = Date.UTC(1700, 0, 1);
  const to = Date.UTC(2260, 0, 1);
  fc.assert(
    fc.property(
      fc.integer({ min: from, max: to }),
      fc.integer({ min: -1439, max: 1439 }),
      fc.boolean(),
      (ms, offset, colon) => {
        const local = new Date(ms + offset * 60_000).toISOString().slice(0, -1);
        const size = Math.abs(offset);
        const [hour, minute] = [Math.floor(size / 60), size % 60].map((n) =>
          String(n).padStart(2, "0")
        );
        const zone = `${offset < 0 ? "-" : "+"}${hour}${colon ? ":" : ""}${minute}`;
        assert.equal(read(local + zone), BigInt(ms) * 1_000_000n);
      },
    ),
    { seed: 2 },
  );
});

Deno.test("any bytes are read or refused, never thrown at", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(..."0123456789-+:.TZeE ") }), (text) => {
      const result = read(text);
      assert.ok(typeof result === "bigint" || result === unreadable || result === outOfRange);
    }),
    { numRuns: 5000, seed: 3 },
  );
});
