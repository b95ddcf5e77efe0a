import assert from "node:assert/strict";
import fc from "fast-check";
import { repeatedKeys } from "./repeated_keys.ts";

const cases: readonly (readonly [string, string, readonly string[]])[] = [
  ["no key", "{}", []],
  ["a list", "[1, 2]", []],
  [
    "one of the top, in lines as Windows ends them",
    '{\r\n  "shards": 1,\r\n  "shards": 2\r\n}',
    ["shards: is there twice, in line 2 and in line 3; keep one"],
  ],
  [
    "a section, and a key within one",
    '{"mqtt": {"listen": ""},\n"http": {"listen": "", "listen": ""},\n"mqtt": {"listen": ""}}',
    [
      "http.listen: is there twice, both in line 2; keep one",
      "mqtt: is there twice, in line 1 and in line 3; keep one",
    ],
  ],
  [
    "a key of the second route",
    '{"routes": [{"name": "a"}, {"name": "b",\n"name": "c"}]}',
    ["routes[1].name: is there twice, in line 1 and in line 2; keep one"],
  ],
  [
    "three times",
    '{"a":1,\n"a":2,\n"a":3}',
    [
      "a: is there twice, in line 1 and in line 2; keep one",
      "a: is there twice, in line 2 and in line 3; keep one",
    ],
  ],
  [
    "written otherwise",
    '{"spool":1,\n"sp\\u006fol":2}',
    ["spool: is there twice, in line 1 and in line 2; keep one"],
  ],
  ["equal keys of different objects", '{"a":{"b":1},"c":{"b":{"b":1}},"d":[{"b":1},{"b":1}]}', []],
  ["a key that is a method's name", '{"constructor":1,"__proto__":2,"toString":3}', []],
];

for (const [name, text, expected] of cases) {
  Deno.test(`repeated keys: ${name}`, () => assert.deepEqual(repeatedKeys(text), expected));
}

Deno.test("no value that was printed has a key twice", () => {
  fc.assert(fc.property(fc.jsonValue(), fc.constantFrom(0, 2), (value, space) => {
    assert.deepEqual(repeatedKeys(JSON.stringify(value, undefined, space)), []);
  }));
});
