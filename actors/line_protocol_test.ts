import assert from "node:assert/strict";
import fc from "fast-check";
import { LineBuffer } from "./line_buffer.ts";
import {
  appendTime,
  escapeMeasurementStart,
  escapeTag,
  fieldKey,
  isWritableName,
  quoteText,
} from "./line_protocol.ts";

interface Parsed {
  readonly measurement: string;
  readonly tags: [string, string][];
  readonly fields: [string, string][];
  readonly time: string;
}

/** An end of a name: a special character behind an even number of backslashes. */
function split(text: string, at: string, hasQuotes = true): string[] {
  const parts: string[] = [];
  let part = "";
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (char === "\\" && i + 1 < text.length) part += char + text[++i];
    else if (char === '"' && hasQuotes) {
      quoted = !quoted;
      part += char;
    } else if (char === at && !quoted) {
      parts.push(part);
      part = "";
    } else part += char;
  }
  return [...parts, part];
}

const unescape = (name: string, special: RegExp): string => name.replace(special, "$1");
const measurementEscapes = /\\([\\, #])/g;
const tagEscapes = /\\([\\,= ])/g;
const fieldEscapes = /\\([\\,= "])/g;

/** Written from the reference, apart from the encoder; counts backslashes as VictoriaMetrics does. */
function parse(line: string): Parsed {
  const [series] = split(line, " ", false);
  const [fields, time] = split(line.slice(series!.length + 1), " ");
  const [measurement, ...tags] = split(series!, ",", false);
  const pair = (text: string, special: RegExp): [string, string] => {
    const [key, ...value] = split(text, "=", false);
    return [unescape(key!, special), value.join("=")];
  };
  return {
    measurement: unescape(measurement!, measurementEscapes),
    tags: tags.map((tag) => pair(tag, tagEscapes))
      .map(([key, value]) => [key, unescape(value, tagEscapes)]),
    fields: split(fields!, ",").map((field) => pair(field, fieldEscapes)),
    time: time!,
  };
}

/** InfluxDB's view: a special character is escaped when the one before it is a backslash. */
const influxEnds = (text: string, at: string): number =>
  text.split("").filter((char, i) => char === at && text[i - 1] !== "\\").length;

const name = fc.string({
  unit: fc.constantFrom(..."ab,= \\\"#'é😀/"),
  minLength: 1,
  maxLength: 8,
}).filter(isWritableName)
  // Two backslashes in a row are one to VictoriaMetrics and two to InfluxDB: not to be told apart.
  // A backslash before # is how a measurement that begins with # is written.
  .filter((text) => !/\\[\\#"]/.test(text));

Deno.test("names come back from a parser that was written apart", () => {
  fc.assert(
    fc.property(name, name, name, name, (measurement, key, value, field) => {
      const line = `${escapeMeasurementStart(measurement)},${escapeTag(key)}=${escapeTag(value)} ` +
        `${fieldKey(field)}=1.5 1700000000000000000`;
      assert.deepEqual(parse(line), {
        measurement,
        tags: [[key, value]],
        fields: [[field, "1.5"]],
        time: "1700000000000000000",
      });
      const series = line.slice(0, line.length - " 1700000000000000000".length);
      assert.equal(influxEnds(series, " "), 1, line);
      assert.equal(influxEnds(series, ","), 1, line);
    }),
    { numRuns: 3000, seed: 1 },
  );
});

Deno.test("strings stay on their line and inside their quotes", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'a"\\\n\r\t\0,= ') }), (text) => {
      const quoted = quoteText(text);
      assert.ok(!/[\n\r\0]/.test(quoted));
      assert.match(quoted, /^"(?:[^"\\]|\\.)*"$/);
    }),
    { seed: 2 },
  );
});

const escapes: [text: string, key: string][] = [
  ["plain", "plain"],
  ["a b,c=d", "a\\ b\\,c\\=d"],
  ['say "x"', 'say\\ "x"'],
  ["a\\b", "a\\b"],
  ["a\\,b", "a\\\\\\,b"],
  ["a\nb\rc\td\0e", "a\\nb\\rc\\td\\0e"],
  ["#x", "#x"],
];
for (const [text, key] of escapes) {
  Deno.test(`${JSON.stringify(text)} as a tag`, () => assert.equal(escapeTag(text), key));
}

Deno.test("what is special to a line only is escaped there only", () => {
  assert.equal(escapeMeasurementStart("#a=b c,d"), "\\#a=b\\ c\\,d");
  assert.deepEqual(["time", 'say "x"'].map(fieldKey), ["time_", 'say\\ \\"x\\"']);
  assert.deepEqual(["", "a\\", "a"].map(isWritableName), [false, false, true]);
});

Deno.test("times are written to the ns", () => {
  const bound = 9223372036854775806n;
  fc.assert(
    fc.property(
      fc.oneof(
        fc.bigInt({ min: -bound, max: bound }),
        fc.bigInt({ min: 10n ** 18n, max: 2n * 10n ** 18n }),
      ),
      (ns) => {
        const within = ((ns % 1_000_000n) + 1_000_000n) % 1_000_000n;
        const lines = new LineBuffer(1);
        appendTime(lines, Number((ns - within) / 1_000_000n), Number(within));
        assert.equal(new TextDecoder().decode(lines.bytes.subarray(0, lines.length)), String(ns));
      },
    ),
    { numRuns: 1000, seed: 3 },
  );
});
