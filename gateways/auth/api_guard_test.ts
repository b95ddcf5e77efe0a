import assert from "node:assert/strict";
import type { Role } from "./account.ts";
import { isApi, maySend, mayUseApi, tokenOf } from "./api_guard.ts";
import { permissionsOf } from "./permissions.ts";

const of = (roles: Role[], devices: string[] = []) =>
  permissionsOf({ name: "UPB/A", roles, read: [], write: [], devices });
const may = (roles: Role[], method: string, path: string, devices?: string[]) =>
  mayUseApi(of(roles, devices), method, new URL(path, "http://h"));

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

Deno.test("roles of the API", () => {
  assert.ok(may(["admin"], "POST", "/api/accounts"));
  assert.ok(may(["operator"], "POST", "/api/dead-letters/replay"));
  assert.ok(may(["reader"], "GET", "/api/status"));
  assert.ok(!may(["reader"], "POST", "/api/dead-letters/replay"));
  for (const path of ["/api/accounts", "/api/accounts/grant", "/api/audit"]) {
    assert.ok(!may(["operator"], "GET", path), path);
    assert.ok(!may(["reader"], "GET", path), path);
  }
  for (const path of ["/api/status", "/api/devices", "/api/readings", "/api/actors", "/api"]) {
    assert.ok(!may(["device"], "GET", path), path);
    assert.ok(!may([], "GET", path), path);
  }
});

Deno.test("a device reads itself and writes its topic, however the path is written", () => {
  for (const path of ["/api/devices/UPB/A", "/api/devices/UPB%2FA", "/api/readings?device=UPB/A"]) {
    assert.ok(may(["device"], "GET", path), path);
  }
  const foreign = [
    "/api/devices/UPB/B",
    "/api/devices/UPB/A/../B",
    "/api/devices/UPB%2FA%2F..%2FB",
    "/api/devices/%ff",
    "/api/devices/",
    "/api/readings?device=UPB/B",
    "/api/readings?device=UPB/A&device=UPB/B",
    "/api/live",
  ];
  for (const path of foreign) assert.ok(!may(["device"], "GET", path), path);
  assert.ok(may(["device"], "PUT", "/api/topics/UPB/A"));
  assert.ok(!may(["device"], "PUT", "/api/topics/UPB/B"));
  assert.ok(!may(["device"], "PUT", "/api/topics/%23"));
  assert.ok(!may(["device"], "DELETE", "/api/topics/+/A"));
  assert.ok(may(["device"], "POST", "/api/readings"), "each item is held to its topic");
  assert.ok(may([], "GET", "/api/devices/UPB~1", ["UPB~*"]));
  assert.ok(!may([], "GET", "/api/devices/XPB~1", ["UPB~*"]));
});

Deno.test("what is the API", () => {
  assert.ok(isApi("/api") && isApi("/api/x"));
  assert.ok(!isApi("/apix") && !isApi("/") && !isApi("/healthz"));
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
