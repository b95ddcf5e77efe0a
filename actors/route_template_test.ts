import assert from "node:assert/strict";
import { Template, TopicTemplate } from "./route_template.ts";

const matches: [template: string, topic: string, params: Record<string, string> | undefined][] = [
  ["{location}/{station}", "UPB/RPi_1", { location: "UPB", station: "RPi_1" }],
  ["{location}/{station}", "UPB", undefined],
  ["{location}/{station}", "UPB/", undefined],
  ["{location}/{station}", "/RPi_1", undefined],
  ["{location}/{station}", "UPB/RPi_1/x", undefined],
  ["{location}/{station}", "$SYS/x", undefined],
  ["$weather/{station}", "$weather/x", { station: "x" }],
  ["v3/{app}@ttn/devices/{id}/up", "v3/a@b@ttn/devices/d/up", { app: "a@b", id: "d" }],
  ["v3/{app}@ttn/devices/{id}/up", "v3/@ttn/devices/d/up", undefined],
  ["a/+/{b}", "a//x", { b: "x" }],
  ["a/+", "a", undefined],
  ["a/{b}/#", "a/x", { b: "x" }],
  ["a/{b}/#", "a/x/y/z", { b: "x" }],
  ["a/{b}/#", "a", undefined],
  ["#", "any/thing", {}],
  ["#", "$SYS/x", undefined],
  ["+/x", "$SYS/x", undefined],
];
for (const [template, topic, params] of matches) {
  Deno.test(`${template} ${params ? "takes" : "does not take"} ${topic}`, () => {
    const found = new TopicTemplate(template).match(topic);
    assert.deepEqual(found && { ...found }, params);
  });
}

Deno.test("a placeholder may have the name of something inherited", () => {
  const found = new TopicTemplate("{__proto__}/{toString}").match("a/b");
  assert.equal(new Template("{__proto__}-{toString}-{valueOf}").expand(found ?? {}), "a-b-");
});

Deno.test("the filter takes what the template takes", () => {
  assert.equal(new TopicTemplate("v3/{app}@ttn/{id}/#").filter, "v3/+/+/#");
  assert.equal(new TopicTemplate("a/+/b").filter, "a/+/b");
});

for (
  const source of ["", "a/{b", "a/b}", "{a}{b}", "a+/b", "#/a", "a/b#", "{a}/{a}", "a/{1}", "a\0"]
) {
  Deno.test(`${JSON.stringify(source)} is no topic template`, () => {
    assert.throws(() => new TopicTemplate(source), SyntaxError);
  });
}

Deno.test("a template splits at a placeholder", () => {
  const [before, after] = new Template("{a}.{metric}/{b}").split("metric");
  assert.equal(before.expand({ a: "1", b: "2" }), "1.");
  assert.equal(after?.expand({ a: "1", b: "2" }), "/2");
  assert.equal(new Template("{a}").split("metric")[1], undefined);
});
