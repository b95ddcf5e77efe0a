import assert from "node:assert/strict";
import fc from "fast-check";
import { anyText } from "../runtime/testing/any_text.ts";
import { KeyTree } from "./decode_keys.ts";
import { Decoded } from "./decode_result.ts";
import { FlatJson, type ScanFault } from "./flat_json.ts";

const utf8 = new TextEncoder();
const depthMax = 8;

function scanner(flatten = false): { scan: FlatJson; out: Decoded } {
  const keys = new KeyTree({ from: [[]], flatten, accepts: () => true, arrays: [], captures: [] });
  const out = new Decoded(256, 0);
  return { scan: new FlatJson(keys, out, { booleans: "omit", strings: "omit" }, depthMax), out };
}

/** Scans a payload as it lies in a frame: between bytes that would continue it. */
function scanIn(json: FlatJson, payload: Uint8Array): ScanFault {
  const data = utf8.encode("0".repeat(payload.length + 3) + '9"}]');
  data.set(payload, 3);
  return json.scan(data, 3, 3 + payload.length);
}

/** What `JSON.parse` makes of it: the numbers by name, or `undefined` when it refuses. */
function oracle(payload: Uint8Array, flatten: boolean): Map<string, number> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(payload));
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  if (depthOf(value) > depthMax) return undefined;
  const fields = new Map<string, number>();
  const walk = (object: object, prefix: string) => {
    for (const [key, item] of Object.entries(object)) {
      if (typeof item === "number" && Number.isFinite(item)) fields.set(prefix + key, item);
      if (flatten && typeof item === "object" && item !== null && !Array.isArray(item)) {
        walk(item, `${prefix}${key}_`);
      }
    }
  };
  walk(value, "");
  return fields;
}

function depthOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

function assertSame(json: FlatJson, out: Decoded, payload: Uint8Array, flatten = false): void {
  const fault = scanIn(json, payload);
  const expected = oracle(payload, flatten);
  const shown = new TextDecoder().decode(payload);
  assert.equal(fault === "none", expected !== undefined, `${fault}: ${shown}`);
  if (expected === undefined) return;
  const found = new Map<string, number>();
  for (let i = 0; i < out.count; i++) found.set(out.names[i]!.name, out.values[i]!);
  assert.deepEqual(new Map([...found].toSorted()), new Map([...expected].toSorted()), shown);
}

// Letters, digits and what needs escapes; names that objects have anyway; never empty, never ending
// in a backslash (those are dead letters), and without _, so that flattened names cannot meet.
const key = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom("a", "b", "temp", "__proto__", "toString", "é", "😀") },
  anyText({ minLength: 1, maxLength: 6 })
    .map((text) => text.toWellFormed().replaceAll("_", "-") + "k"),
);
const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.integer().map(String),
  fc.constantFrom("0", "-0", "0.0", "1e400", "-1E400", "1e-400", "5e-324", "0.1e1", "123456789.5"),
  fc.constantFrom("9007199254740993", "0.30000000000000004", "1234567890123456789", "25.000"),
  fc.tuple(fc.bigInt({ min: 0n, max: 10n ** 18n }), fc.nat(20))
    .map(([digits, zeros]) => `${digits}.${"0".repeat(zeros)}${digits}`),
);
/** Around the digits that fit 31 and 53 bits. */
const long = fc.tuple(fc.bigInt({ min: 10n ** 7n, max: 10n ** 17n }), fc.nat(17))
  .map(([digits, scale]) => {
    const text = String(digits);
    const at = Math.max(1, text.length - scale);
    return at === text.length ? text : `${text.slice(0, at)}.${text.slice(at)}`;
  });
const space = fc.constantFrom("", "", "", " ", "\n", "\t \r\n");
const text = fc.oneof(
  anyText().map((value) => JSON.stringify(value)),
  fc.constantFrom('"\\u0041"', '"\\/"', '"\\ud800"'),
);
const { json } = fc.letrec<{ json: string; object: string; array: string }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 5 },
    { weight: 5, arbitrary: number },
    long,
    { weight: 2, arbitrary: text },
    fc.constantFrom("true", "false", "null"),
    tie("array"),
    tie("object"),
  ),
  array: fc.array(fc.tuple(space, tie("json")), { maxLength: 4 })
    .map((items) => `[${items.map(([gap, item]) => gap + item + gap).join(",")}]`),
  object: fc.array(fc.tuple(key, space, tie("json"), space), { maxLength: 6 }).map((members) =>
    `{${members.map(([k, a, v, b]) => `${a}${JSON.stringify(k)}${b}:${a}${v}${b}`).join(",")}}`
  ),
}));
const object = fc.array(fc.tuple(key, space, json, space), { maxLength: 8 }).map((members) =>
  `{${members.map(([k, a, v, b]) => `${a}${JSON.stringify(k)}${b}:${a}${v}${b}`).join(",")}}`
);

for (const flatten of [false, true]) {
  Deno.test(`the scanner reads what JSON.parse reads${flatten ? ", flattened" : ""}`, () => {
    // One scanner for all: what it learned from one payload must not matter to the next.
    const { scan, out } = scanner(flatten);
    fc.assert(
      fc.property(object, (payload) => assertSame(scan, out, utf8.encode(payload), flatten)),
      { numRuns: 3000, seed: 1 },
    );
  });
}

Deno.test("the scanner refuses what JSON.parse refuses: mutated and cut payloads", () => {
  const { scan, out } = scanner();
  const change = fc.record({ at: fc.nat(), to: fc.integer({ min: 0, max: 255 }), cut: fc.nat() });
  fc.assert(
    fc.property(object, fc.array(change, { minLength: 1, maxLength: 3 }), (payload, changes) => {
      let bytes = utf8.encode(payload);
      for (const { at, to, cut } of changes) {
        bytes[at % bytes.length] = to;
        if (cut % 4 === 0) bytes = bytes.slice(0, 1 + (cut % bytes.length));
      }
      // A mutation may make a name that is a dead letter for another reason.
      const fault = scanIn(scan, bytes);
      if (fault !== "unwritable_name") assertSame(scan, out, bytes);
    }),
    { numRuns: 5000, seed: 2 },
  );
});

Deno.test("each byte sequence of a small grammar is judged as by JSON.parse", () => {
  const { scan, out } = scanner();
  const tokens = ["{", "}", '"a"', ":", ",", "1", "-", "0", ".", "e", "[", "]", "true", " ", '"'];
  const token = fc.array(fc.constantFrom(...tokens), { maxLength: 9 });
  fc.assert(
    fc.property(token, (parts) => assertSame(scan, out, utf8.encode(`{"a":${parts.join("")}}`))),
    { numRuns: 20000, seed: 3 },
  );
});

Deno.test("a byte order mark and bytes that are not UTF-8 are refused", () => {
  const { scan } = scanner();
  assert.equal(scanIn(scan, utf8.encode('\uFEFF{"a":1}')), "malformed");
  for (
    const bytes of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x82], [
      0xf5,
      0x80,
      0x80,
      0x80,
    ]]
  ) {
    const inKey = Uint8Array.of(...utf8.encode('{"'), ...bytes, ...utf8.encode('":1}'));
    // Twice: the second time its key is one that was learned.
    assert.equal(scanIn(scan, inKey), "malformed");
    assert.equal(scanIn(scan, inKey), "malformed");
    const inText = Uint8Array.of(...utf8.encode('{"k":"'), ...bytes, ...utf8.encode('"}'));
    assert.equal(scanIn(scan, inText), "malformed");
  }
});

Deno.test("a key that was learned with escapes does not excuse one without", () => {
  const { scan } = scanner();
  assert.equal(scanIn(scan, utf8.encode('{"a\\"b":1}')), "none");
  assert.equal(scanIn(scan, utf8.encode('{"a"b":1}')), "malformed");
});

Deno.test("depth and fields are limited, exactly", () => {
  const { scan, out } = scanner(true);
  const nested = (depth: number) => utf8.encode(`${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`);
  const arrays = (depth: number) => utf8.encode(`{"a":${"[".repeat(depth)}${"]".repeat(depth)}}`);
  assert.equal(scanIn(scan, nested(depthMax)), "none");
  assert.equal(scanIn(scan, nested(depthMax + 1)), "too_deep");
  assert.equal(scanIn(scan, arrays(depthMax - 1)), "none");
  assert.equal(scanIn(scan, arrays(depthMax)), "too_deep");
  assert.equal(scanIn(scan, utf8.encode(`{"a":${"[".repeat(200_000)}`)), "too_deep");
  const fields = (count: number) =>
    utf8.encode(
      JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${i}`, i]))),
    );
  assert.equal(scanIn(scan, fields(256)), "none");
  assert.equal(out.count, 256);
  assert.equal(scanIn(scan, fields(257)), "too_many_fields");
});

Deno.test("what is learned is bounded: any number of new keys is forgotten again", () => {
  const { scan, out } = scanner();
  for (let i = 0; i < 20_000; i++) {
    assert.equal(scanIn(scan, utf8.encode(`{"key${i}":${i}}`)), "none");
    assert.equal(out.names[0]!.name, `key${i}`);
  }
});
