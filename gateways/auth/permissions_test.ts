import assert from "node:assert/strict";
import { nameProblem, type Role } from "./account.ts";
import {
  devicesProblem,
  filterProblem,
  mayRead,
  mayReadDevice,
  maySubscribe,
  mayWrite,
  permissionsOf,
} from "./permissions.ts";

const of = (name: string, roles: Role[], write: string[] = []) =>
  permissionsOf({ name, roles, read: [], write, devices: [] });

Deno.test("a device writes its own topics and no other's", () => {
  const a = of("UPB/A", ["device"]);
  for (const topic of ["UPB/A", "device/UPB/A", "UPB/A/position"]) {
    assert.ok(mayWrite(a, topic), topic);
  }
  const foreign = ["UPB/B", "device/B", "UPB/A/x", "UPB", "#", "+/A", "$SYS/x", "upb/a", "UPB/A/"];
  for (const topic of foreign) assert.ok(!mayWrite(a, topic), topic);
  assert.ok(mayReadDevice(a, "UPB/A") && mayReadDevice(a, "UPB~A"));
  assert.ok(!mayReadDevice(a, "UPB/A2"));
  assert.ok(maySubscribe(a, "command/UPB/A/#"));
  for (const filter of ["#", "+/+", "command/#", "$SYS/#"]) {
    assert.ok(!maySubscribe(a, filter), filter);
  }
});

Deno.test("a name is no pattern, also where it is put in", () => {
  const tricky = permissionsOf({
    name: "$&",
    roles: ["device"],
    read: [],
    write: ["x/{name}/{name}"],
    devices: [],
  });
  assert.ok(tricky.write.includes("x/$&/$&"));
  for (const name of ["#", "+", "a/#", "+/b", "a+", "", "/", "a/", "/a", "a//b", "a b", "a\nb"]) {
    assert.notEqual(nameProblem(name), undefined, JSON.stringify(name));
  }
  for (
    const name of ["$SYS", "device/B", "{name}", "*", "a\0", "e\u0301", "a\u202eb", "x".repeat(129)]
  ) {
    assert.notEqual(nameProblem(name), undefined, JSON.stringify(name));
  }
  for (const name of ["UPB/RPi_1", "__proto__", "constructor", "7f-a", "Ω", "bus_7@x:1"]) {
    assert.equal(nameProblem(name), undefined, name);
  }
});

Deno.test("roles", () => {
  assert.ok(mayRead(of("r", ["reader"]), "a/b"));
  for (const role of ["admin", "operator", "reader"] as const) {
    assert.ok(maySubscribe(of("r", [role]), "$SYS/#"), role);
    assert.ok(!mayWrite(of("r", [role]), "$SYS/broker/uptime"), role);
  }
  assert.ok(!maySubscribe(of("d", ["device"]), "$SYS/#"));
  assert.ok(!mayWrite(of("r", ["reader"]), "a/b"));
  assert.ok(mayWrite(of("o", ["operator"]), "a/b"));
  assert.ok(!mayWrite(of("n", []), "n"));
  assert.ok(mayWrite(of("n", [], ["{name}/#"]), "n/x"));
});

Deno.test("what can be granted", () => {
  for (const filter of ["a/+", "#", "{name}/#", "a//b", "/"]) {
    assert.equal(filterProblem(filter), undefined, filter);
  }
  for (const filter of ["", "a#", "#/a", "a+/b", "{nam}/a", "a\nb", "a\0", "x".repeat(1025)]) {
    assert.notEqual(filterProblem(filter), undefined, JSON.stringify(filter));
  }
  for (const id of ["*", "UPB~*", "{name}"]) assert.equal(devicesProblem(id), undefined, id);
  for (const id of ["", "a*b", "**", "{x}", "a\n"]) {
    assert.notEqual(devicesProblem(id), undefined, JSON.stringify(id));
  }
});
