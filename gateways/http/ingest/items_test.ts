import fc from "fast-check";
import assert from "node:assert/strict";
import { Problem } from "../problem.ts";
import type { Item } from "./item.ts";
import { type BodyFormat, itemsMax, itemsOf } from "./items.ts";
import { elements, members, stringAt } from "./json_ranges.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** `topic payload`, or `!reason`. */
function shown({ topic, bytes, start, end, problem }: Item): string {
  return problem === undefined
    ? `${topic} ${decoder.decode(bytes.subarray(start, end))}`
    : `!${problem.reason}`;
}

const json = (text: string, topic?: string): string[] =>
  itemsOf(encoder.encode(text), "json", {
    precision: "ns",
    ...(topic === undefined ? {} : { topic }),
  })
    .map(shown);
const ndjson = (text: string): string[] =>
  itemsOf(encoder.encode(text), "ndjson", { precision: "ns" }).map(shown);
const line = (text: string, precision: "ns" | "ms" | "s" = "ns"): string[] =>
  itemsOf(encoder.encode(text), "line", { precision }).map(shown);

Deno.test("the topic of an item follows from its shape", () => {
  assert.deepEqual(json('{"name":"a","temperature":1}'), [
    '$weather/a {"name":"a","temperature":1}',
  ]);
  assert.deepEqual(json('{"uuid":"u","value":1}'), ['device/u {"uuid":"u","value":1}']);
  assert.deepEqual(json('{"fleet":"f","vehicle":"v","lat":1}'), [
    'f/v/position {"fleet":"f","vehicle":"v","lat":1}',
  ]);
  const feature = '{"type":"Feature","properties":{"fleet":"f","vehicle":"v"},"geometry":null}';
  assert.deepEqual(json(feature), [`f/v/position ${feature}`]);
  assert.deepEqual(json(`{"type":"FeatureCollection","features":[${feature},${feature}]}`), [
    `f/v/position ${feature}`,
    `f/v/position ${feature}`,
  ]);
  assert.deepEqual(json('{"topic":"a/b","payload":{"x":1.50}}'), ['a/b {"x":1.50}']);
  assert.deepEqual(json(' [ {"x":1} , {"x":2} ] ', "a/b"), ['a/b {"x":1}', 'a/b {"x":2}']);
  assert.deepEqual(json("[]"), []);
});

Deno.test("a weather station's token is taken out of its payload, and known apart from it", () => {
  const [item, ...others] = itemsOf(
    encoder.encode(
      '[{"name":"a","token":"x","t":1.50,"\\u0074oken" : "se\\u0063ret"},{"name":"b","token":{"a":[1]}},' +
        '{"uuid":"d","token":5},{"topic":"a/b","payload":{"name":"c","token":7}}]',
    ),
    "json",
    { precision: "ns" },
  );
  assert.ok(item);
  assert.equal(shown(item), '$weather/a {"name":"a","token":null,"t":1.50,"\\u0074oken" : null}');
  assert.equal(item.token, "secret");
  assert.deepEqual(others.map(shown), [
    '$weather/b {"name":"b","token":null}',
    'device/d {"uuid":"d","token":5}',
    'a/b {"name":"c","token":7}',
  ]);
  assert.deepEqual(others.map(({ token }) => token), [undefined, undefined, undefined]);
});

Deno.test("what has no topic, or tries to reach another's, is refused by name", () => {
  assert.deepEqual(
    json(
      '[{"x":1},"text",1,null,{"topic":"$weather/a","payload":1},{"topic":1,"payload":1},' +
        '{"uuid":"a/position"},{"name":"a+"},{"name":""},{"uuid":"#"},{"__proto__":"a"}]',
    ),
    [
      "!no_topic",
      "!malformed",
      "!malformed",
      "!malformed",
      "!invalid_topic",
      "!invalid_topic",
      "!invalid_topic",
      "!invalid_topic",
      "!invalid_topic",
      "!invalid_topic",
      "!no_topic",
    ],
  );
});

Deno.test("lines of JSON: each is an item, blank ones are none", () => {
  assert.deepEqual(ndjson('{"uuid":"a"}\r\n\n  \nno\n{"uuid":"b"} {"uuid":"c"}\n{"uuid":"d"}'), [
    'device/a {"uuid":"a"}',
    "!malformed",
    "!malformed",
    'device/d {"uuid":"d"}',
  ]);
});

Deno.test("line protocol: series, fields of all types, times of all units", () => {
  assert.deepEqual(
    line('air,room=a,b=c t=1.5,n=-3i,u=4u,ok=T,s="a, b=\\"c\\"" 1700000000000000000'),
    [
      '$line/air,b=c,room=a {"t":1.5,"n":-3,"u":4,"ok":true,"s":"a, b=\\"c\\"","$time":1700000000000000000}',
    ],
  );
  assert.deepEqual(line("air t=1 1700000000", "s"), [
    '$line/air {"t":1,"$time":1700000000000000000}',
  ]);
  assert.deepEqual(line("a\\ b,c\\=d=e\\,f g\\ h=1\n# comment\n\nx y=.5,z=1.,e=1E3"), [
    '$line/a\\ b,c\\=d=e\\,f {"g h":1}',
    '$line/x {"y":0.5,"z":1,"e":1E3}',
  ]);
});

Deno.test("lines that are none, and fields that would pass for others, are refused", () => {
  for (
    const text of [
      "air",
      "air t",
      "air t=",
      "air t=abc",
      "air t=1 yesterday",
      "air t=1 1 1",
      'air s="a',
      "air,room= t=1",
      "air $time=1",
      "air =1",
      "air t=1,,u=2",
      "air t=NaN",
      "air t=1e",
    ]
  ) assert.deepEqual(line(text), ["!malformed"], text);
});

Deno.test("the whole is refused when it cannot be taken apart, or has too many items", () => {
  for (const text of ["", " ", "[1,2", "[1 2]", '{"a":1} x', "[1,]", "[,1]", '["a]']) {
    assert.throws(() => json(text), Problem, text);
  }
  assert.throws(() => json(`[${"1,".repeat(itemsMax)}1]`), /10000 items/);
  assert.throws(() => ndjson("1\n".repeat(itemsMax + 1)), /10000 items/);
});

Deno.test("what is no JSON is refused with the place in it", () => {
  const refusal = (text: string, format: BodyFormat): string | undefined => {
    try {
      const items = itemsOf(encoder.encode(text), format, { precision: "ns" });
      return items.find(({ problem }) => problem !== undefined)?.problem?.detail;
    } catch (error) {
      assert.ok(error instanceof Problem);
      return error.message;
    }
  };
  const name = "a name in double quotes is expected";
  assert.equal(refusal('{"a":\n 1,,}', "json"), `it is not JSON: line 2 column 4: ${name}`);
  assert.equal(
    refusal('[{"uuid":"a"},{"a":1,}]', "json"),
    `it is not JSON: line 1 column 8: ${name}`,
  );
  assert.equal(refusal("5", "json"), "it is no JSON object");
  assert.match(refusal("[1,\n2", "json") ?? "", /^the body: it is not JSON: line 2 column 2: /);
  assert.match(refusal('{"a":1} x', "json") ?? "", /^the body: it is not JSON: line 1 column 9: /);
  assert.match(
    refusal('{"type":"FeatureCollection","features":5}', "json") ?? "",
    /^the body: it is no array of items$/,
  );
  assert.match(refusal('{"uuid":"a"}\n{"b" 1}', "ndjson") ?? "", /line 1 column 6: a colon/);
});

Deno.test("a name that is no text makes its item none", () => {
  assert.deepEqual(json('[{"\\q":1,"uuid":"a"},{"u\\u0075id":1,"uuid":"b"}]'), [
    "!malformed",
    'device/b {"u\\u0075id":1,"uuid":"b"}',
  ]);
});

Deno.test("what is wrong with an item is looked for when it is told, and not before", () => {
  for (const format of ["json", "ndjson"] as const) {
    const body = encoder.encode(format === "json" ? "[a]" : "{ a");
    const [item] = itemsOf(body, format, { precision: "ns" });
    body.fill(0x35); // Which is JSON: so it is seen whether that was looked at.
    assert.match(item?.problem?.detail ?? "", /^it is no JSON/, format);
  }
});

Deno.test("ranges hold what JSON.parse gives", () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue(), { maxLength: 6 }), fc.boolean(), (values, pretty) => {
      const bytes = encoder.encode(JSON.stringify(values, null, pretty ? 2 : 0));
      const ranges = elements(bytes, 0, bytes.length, 100);
      assert.ok(Array.isArray(ranges));
      assert.deepEqual(
        ranges.map(({ start, end }): unknown =>
          JSON.parse(decoder.decode(bytes.subarray(start, end)))
        ),
        JSON.parse(JSON.stringify(values)),
      );
    }),
    { seed: 1 },
  );
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.string()), fc.string(), (object, key) => {
      const bytes = encoder.encode(JSON.stringify(object));
      const found = members(bytes, 0, bytes.length, new Set([key]))?.get(key);
      const value = found && stringAt(bytes, found);
      assert.equal(value, Object.hasOwn(object, key) ? object[key] : undefined);
    }),
    { seed: 1 },
  );
});

Deno.test("any bytes are taken apart or refused, and end", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 60 }),
      fc.constantFrom("json", "ndjson", "line"),
      (bytes, format) => {
        try {
          itemsOf(bytes, format, { precision: "ns" });
        } catch (error) {
          assert.ok(error instanceof Problem);
        }
      },
    ),
    { seed: 1, numRuns: 2_000 },
  );
});
