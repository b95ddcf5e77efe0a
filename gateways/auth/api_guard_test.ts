import assert from "node:assert/strict";
import type { Role } from "./account.ts";
import { type Asked, maySend, mayUse, tokenOf } from "./api_guard.ts";
import { permissionsOf } from "./permissions.ts";

const of = (roles: Role[], devices: string[] = []) =>
  permissionsOf({ name: "UPB/A", roles, read: [], write: [], devices });

Deno.test("the token is a bearer, or the dashboard's cookie", () => {
  const cases: readonly (readonly [Record<string, string>, string | undefined])[] = [
    [{}, undefined],
    [{ authorization: "Bearer a.b.c" }, "a.b.c"],
    [{ authorization: "bearer  a.b.c " }, "a.b.c"],
    [{ authorization: "Basic YTpi" }, undefined],
    [{ authorization: "Basic YTpi", cookie: "sluice_session=a.b.c" }, undefined],
    [{ authorization: "Bearer a b" }, undefined],
    [{ cookie: "x=1; sluice_session=a.b.c; y=2" }, "a.b.c"],
    [{ cookie: "xsluice_session=a.b.c" }, undefined],
    [{ cookie: "sluice_session=" }, undefined],
  ];
  for (const [headers, expected] of cases) {
    assert.equal(tokenOf(new Headers(headers)), expected, JSON.stringify(headers));
  }
});

const all: readonly Asked[] = [
  "admin",
  "operator",
  "reader",
  "device",
  "sender",
  "topic-read",
  "topic-write",
];

Deno.test("what the roles may do without a name that they are granted", () => {
  const may = (roles: Role[]) => all.filter((asked) => mayUse(of(roles), asked, undefined));
  assert.deepEqual(may(["admin"]), all);
  assert.deepEqual(may(["operator"]), all.slice(1));
  assert.deepEqual(may(["reader"]), ["reader", "device", "sender", "topic-read"]);
  assert.deepEqual(may(["device"]), ["sender"]);
  assert.deepEqual(may([]), ["sender"]);
});

Deno.test("a device reads itself and writes its topic; a list names others", () => {
  const device = of(["device"]);
  assert.ok(mayUse(device, "device", "UPB/A"));
  assert.ok(mayUse(device, "device", "UPB~A"));
  assert.ok(!mayUse(device, "device", "UPB/B"));
  assert.ok(mayUse(device, "topic-write", "UPB/A"));
  for (const topic of ["UPB/B", "#", "+/A", "UPB/A/x", "$SYS/x"]) {
    assert.ok(!mayUse(device, "topic-write", topic), topic);
    assert.ok(!mayUse(device, "topic-read", topic), topic);
  }
  assert.ok(mayUse(of([], ["UPB~*"]), "device", "UPB~1"));
  assert.ok(!mayUse(of([], ["UPB~*"]), "device", "XPB~1"));
});

Deno.test("a device sends its own readings, also those of a weather station", () => {
  const device = {
    name: "d1",
    permissions: permissionsOf({ name: "d1", roles: ["device"], read: [], write: [], devices: [] }),
  };
  assert.ok(maySend(device, "device/d1"));
  assert.ok(maySend(device, "$weather/d1"));
  for (const topic of ["device/d2", "$weather/d2", "$line/d1", "$SYS/x"]) {
    assert.ok(!maySend(device, topic), topic);
  }
  const admin = {
    name: "a",
    permissions: permissionsOf({ name: "a", roles: ["admin"], read: [], write: [], devices: [] }),
  };
  assert.ok(maySend(admin, "$line/d1"));
});
