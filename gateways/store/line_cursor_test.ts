import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { anyText } from "../../runtime/testing/any_text.ts";
import {
  escapeMeasurementStart,
  escapeTag,
  fieldKey,
  quoteText,
} from "../../actors/line_protocol.ts";
import { LineBuffer } from "../../actors/line_buffer.ts";
import { appendTime, isWritableName } from "../../actors/line_protocol.ts";
import { type FieldValue, LineCursor, LineSyntaxError } from "./line_cursor.ts";
import { seriesNames, unescapeField } from "./series_key.ts";

interface Line {
  readonly key: string;
  readonly fields: [string, FieldValue][];
  readonly time: bigint;
}

const utf8 = (name: string) => Buffer.from(name, "latin1").toString("utf8");

function parse(text: string): Line {
  const bytes = Buffer.from(text, "utf8");
  const cursor = new LineCursor();
  cursor.open(bytes, 0, bytes.length);
  const key = utf8(cursor.key());
  const fields: [string, FieldValue][] = [];
  do {
    const name = utf8(cursor.fieldName());
    fields.push([name, cursor.value()]);
  } while (cursor.more());
  const time = cursor.time();
  assert.equal(cursor.at, bytes.length);
  return { key, fields, time };
}

const yes = Uint8Array.of(1), no = Uint8Array.of(0);

Deno.test("every kind of value is read", () => {
  const cases: readonly [string, FieldValue][] = [
    ["0", 0],
    ["-0", -0],
    ["25.3", 25.3],
    ["-12.50", -12.5],
    ["5.", 5],
    [".5", 0.5],
    ["1e3", 1000],
    ["1.5E-7", 1.5e-7],
    ["+2", 2],
    ["123456789012345678", 123456789012345680],
    ["0.1234567890123456789", 0.1234567890123456789],
    ["1i", 1n],
    ["-9223372036854775808i", -(2n ** 63n)],
    ["9223372036854775807u", 2n ** 63n - 1n],
    ["t", yes],
    ["TRUE", yes],
    ["False", no],
    ['""', ""],
    ['"a \\"b\\" \\\\ \\n, =é"', 'a "b" \\ \\n, =é'],
  ];
  for (const [text, value] of cases) {
    assert.deepEqual(parse(`m v=${text} 1\n`).fields, [["v", value]], text);
  }
});

Deno.test("a key with escapes ends at the first space that is none", () => {
  const line = parse("m\\ 1\\,x,ta\\=g=a\\ b,u=c\\\\\\,d,v=e\\f a=1,b\\=c=2 -5");
  assert.deepEqual(seriesNames(line.key), {
    measurement: "m 1,x",
    tags: { "ta=g": "a b", "u": "c\\,d", "v": "e\\f" },
  });
  assert.deepEqual(line.fields.map(([name]) => unescapeField(name)), ["a", "b=c"]);
  assert.equal(line.time, -5n);
});

Deno.test("what is no line protocol says what was expected, and where", () => {
  const cases: readonly [string, RegExp][] = [
    ["", /measurement/],
    ["\n", /measurement/],
    [" v=1 1", /measurement/],
    ["m", /measurement/],
    ["m \n", /a field/],
    ["m v 1", /a field/],
    ["m =1 1", /a field/],
    ["m v= 1", /a value/],
    ["m v=x 1", /a value at byte 4 of "m v=x 1"/],
    ["m v=NaN 1", /a value/],
    ["m v=1e999 1", /a value/],
    ["m v=- 1", /a value/],
    ["m v=. 1", /a value/],
    ["m v=1.2.3 1", /a value/],
    ["m v=9223372036854775808i 1", /a value/],
    ["m v=18446744073709551615u 1", /a value/],
    ['m v="x 1', /a closing quote/],
    ['m v="x\\" 1', /a closing quote/],
    ['m v="x"y 1', /a comma or the time/],
    ["m v=1", /a comma or the time/],
    ["m v=1\n", /a comma or the time/],
    ["m v=1, 1", /a field/],
    ["m v=1 ", /a time/],
    ["m v=1 x", /a time/],
    ["m v=1 1x", /the end of the line/],
    ["m v=1 9223372036854775808", /fits 64 bits/],
    ["m v=1 10000000000000000000", /at most 19 digits/],
  ];
  for (const [text, message] of cases) {
    assert.throws(() => parse(text), (thrown) => {
      assert.ok(thrown instanceof LineSyntaxError, text);
      assert.match(thrown.message, message, text);
      return true;
    });
  }
});

Deno.test("the end that was given is never passed", () => {
  const bytes = Buffer.from('m,a=b v="x",w=1.5 1700000000000000000\n');
  const cursor = new LineCursor();
  for (let end = 0; end < bytes.length - 20; end++) {
    cursor.open(bytes, 0, end);
    assert.throws(() => {
      cursor.key();
      do {
        cursor.fieldName();
        cursor.value();
      } while (cursor.more());
      cursor.time();
    }, LineSyntaxError);
  }
});

Deno.test("whatever the encoder writes is read back", () => {
  const name = anyText({ minLength: 1, maxLength: 12 })
    .filter((text) => isWritableName(text) && text.isWellFormed() && !/\p{Cc}/u.test(text));
  const text = anyText({ maxLength: 12 })
    .filter((text) => text.isWellFormed() && !/\p{Cc}/u.test(text));
  const value = fc.oneof(
    // JavaScript writes -0 as 0.
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((v) => [String(v), v + 0] as const),
    text.map((v) => [quoteText(v), v] as const),
    fc.boolean().map((v) => [String(v), v ? yes : no] as const),
    fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n).map((v) => [`${v}i`, v] as const),
  );
  fc.assert(fc.property(
    name,
    fc.array(fc.tuple(name, name), { maxLength: 3 }),
    fc.array(fc.tuple(name, value), { minLength: 1, maxLength: 4 }),
    fc.integer({ min: -9_000_000_000_000, max: 9_000_000_000_000 }),
    fc.nat(999_999),
    (measurement, tags, fields, ms, ns) => {
      const lines = new LineBuffer();
      lines.appendText(escapeMeasurementStart(measurement));
      for (const [key, tag] of tags) lines.appendText(`,${escapeTag(key)}=${escapeTag(tag)}`);
      const written = fields.map(([key, [text]]) => `${fieldKey(key)}=${text}`).join(",");
      lines.appendText(` ${written} `);
      appendTime(lines, ms, ns);
      const line = parse(Buffer.from(lines.bytes.subarray(0, lines.length)).toString());
      assert.deepEqual(seriesNames(line.key), { measurement, tags: Object.fromEntries(tags) });
      assert.deepEqual(
        line.fields.map(([key, read]) => [unescapeField(key), read]),
        fields.map(([key, [, read]]) => [key === "time" ? "time_" : key, read]),
      );
      assert.equal(line.time, BigInt(ms) * 1_000_000n + BigInt(ns));
    },
  ));
});
