import assert from "node:assert/strict";
import { influxTarget } from "./influx_target.ts";

const vm = "http://127.0.0.1:8428";

Deno.test("URL, org and bucket become the two write paths, escaped", () => {
  const target = influxTarget({ url: `${vm}/`, org: "my org", bucket: "a&b/auto gen" });
  assert.equal(target.baseUrl, vm);
  assert.equal(target.port, 8428);
  assert.equal(
    target.writePath.v2,
    "/api/v2/write?org=my+org&bucket=a%26b%2Fauto+gen&precision=ns",
  );
  assert.equal(target.writePath.v1, "/write?db=a%26b&rp=auto+gen&precision=ns");
});

Deno.test("a path prefix stays, a pasted /api/v2 does not", () => {
  const target = influxTarget({ url: "https://db.example/influx/api/v2", bucket: "b" });
  assert.equal(target.baseUrl, "https://db.example/influx");
  assert.equal(target.pingPath, "/influx/ping");
  assert.equal(target.port, 443);
  assert.equal(target.writePath.v1, "/write?db=b&precision=ns");
});

Deno.test("gzip is off for loopback and on elsewhere, unless asked", () => {
  const gzip = (url: string, option?: "auto" | "on" | "off") =>
    influxTarget({ url, bucket: "b", ...(option === undefined ? {} : { gzip: option }) }).gzip;
  for (const url of [vm, "http://localhost:8086", "http://[::1]:8086", "http://127.1.2.3"]) {
    assert.equal(gzip(url), false, url);
  }
  assert.equal(gzip("http://127.example"), true);
  assert.equal(gzip("http://db.example"), true);
  assert.equal(gzip(vm, "on"), true);
  assert.equal(gzip("http://db.example", "off"), false);
});

Deno.test("a token wins over credentials in the URL, and neither stays in the address", () => {
  const url = "http://me:p%40ss@127.0.0.1:8086";
  const basic = influxTarget({ url, bucket: "b" });
  assert.equal(basic.authorization.v2, "Basic bWU6cEBzcw==");
  assert.equal(basic.baseUrl, "http://127.0.0.1:8086");
  assert.equal(influxTarget({ url, bucket: "b", token: "t" }).authorization.v1, "Token t");
  assert.deepEqual(influxTarget({ url, bucket: "b", token: "me:p@ss" }).authorization, {
    v2: "Token me:p@ss",
    v1: "Basic bWU6cEBzcw==",
  });
  assert.equal(influxTarget({ url: vm, bucket: "b", token: "" }).authorization.v2, undefined);
});

Deno.test("options that make no sense are refused without repeating a secret", () => {
  for (const url of ["", "db:8086", "ftp://me:secret@db", "me:secret@db"]) {
    assert.throws(() => influxTarget({ url, bucket: "b" }), (thrown) => {
      assert.ok(thrown instanceof TypeError);
      assert.doesNotMatch(thrown.message, /secret/);
      return true;
    });
  }
  assert.throws(() => influxTarget({ url: vm, bucket: "" }), /bucket/);
});
