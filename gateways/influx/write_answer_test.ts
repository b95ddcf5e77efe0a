import assert from "node:assert/strict";
import type { SinkResult } from "../../actors/sink.ts";
import { isMissingApi, parseRetryAfter, resultOf, type WriteAnswer } from "./write_answer.ts";

const nowMs = Date.UTC(2026, 0, 1);

function answer(status: number, body = "", retryAfter?: string): WriteAnswer {
  return { status, body, retryAfter };
}

const partial1 = '{"error":"partial write: field type conflict: … dropped=1"}\n';
const partial2 = '{"code":"unprocessable entity","message":"failure writing points to database: ' +
  'partial write: field type conflict dropped=1"}';
const partial3 = '{"error":"partial write of line protocol occurred",' +
  '"data":[{"error_message":"bad","line_number":2}]}';

const cases: readonly [string, ReturnType<typeof answer>, SinkResult][] = [
  ["204", answer(204), { kind: "stored" }],
  ["200: somebody in the store's place", answer(200, "<html>Log in</html>"), {
    kind: "misconfigured",
    reason: "200: a store says yes with 204; is influx.url its address? <html>Log in</html>",
  }],
  ["201 of InfluxDB Clustered, some kept", answer(201, partial2), {
    kind: "rejected",
    reason: `201: ${JSON.parse(partial2).message}`,
    partial: true,
  }],
  ["201 of somebody else", answer(201, "made"), {
    kind: "misconfigured",
    reason: "201: a store says yes with 204; is influx.url its address? made",
  }],
  ["400 of InfluxDB 1, nothing kept", answer(400, '{"error":"unable to parse \'bad\'"}'), {
    kind: "rejected",
    reason: "400: unable to parse 'bad'",
    partial: false,
  }],
  ["400 of InfluxDB 1, the rest kept", answer(400, partial1), {
    kind: "rejected",
    reason: "400: partial write: field type conflict: … dropped=1",
    partial: true,
  }],
  ["400 of InfluxDB 2", answer(400, '{"code":"invalid","message":"unable to parse"}'), {
    kind: "rejected",
    reason: "400: unable to parse",
    partial: false,
  }],
  ["422 of InfluxDB 2", answer(422, partial2), {
    kind: "rejected",
    reason: "422: failure writing points to database: partial write: field type conflict dropped=1",
    partial: true,
  }],
  ["400 of InfluxDB 3", answer(400, partial3), {
    kind: "rejected",
    reason:
      '400: partial write of line protocol occurred [{"error_message":"bad","line_number":2}]',
    partial: true,
  }],
  ["413", answer(413), { kind: "too_large", reason: "413" }],
  ["401", answer(401, '{"error":"authorization failed"}'), {
    kind: "misconfigured",
    reason: "401: authorization failed " +
      "(set influx.token, or name and password in influx.url, to what the store accepts)",
  }],
  ["403", answer(403), {
    kind: "misconfigured",
    reason: "403 (the token of influx.token may not write to influx.bucket)",
  }],
  ["404", answer(404, '{"error":"database not found: \\"b\\""}'), {
    kind: "misconfigured",
    reason: '404: database not found: "b" ' +
      "(make it in the store, or set influx.bucket to one that is there)",
  }],
  ["500 for a missing retention policy", answer(500, '{"error":"retention policy not found: x"}'), {
    kind: "misconfigured",
    reason: "500: retention policy not found: x",
  }],
  ["405", answer(405), {
    kind: "misconfigured",
    reason: "405 (it has no such API; is influx.url the address of the store?)",
  }],
  ["302", answer(302), { kind: "misconfigured", reason: "302" }],
  ["307", { ...answer(307), location: "https://store/write?db=d&p=secret" }, {
    kind: "misconfigured",
    reason: "307: writes are sent on to https://store/write; " +
      "set influx.url to where the store itself answers",
  }],
  ["408", answer(408), { kind: "retry", reason: "408" }],
  ["425", answer(425), { kind: "retry", reason: "425" }],
  ["429 with seconds", answer(429, "slow down", "7"), {
    kind: "retry",
    reason: "429: slow down",
    retryAfterMs: 7_000,
  }],
  ["503 with a date", answer(503, "", "Thu, 01 Jan 2026 00:00:30 GMT"), {
    kind: "retry",
    reason: "503",
    retryAfterMs: 30_000,
  }],
  ["500", answer(500, "oops\r\n\tdetails\0"), { kind: "retry", reason: "500: oops details" }],
  ["507", answer(507), { kind: "retry", reason: "507" }],
];

for (const [name, given, expected] of cases) {
  Deno.test(`an answer of ${name}`, () => assert.deepEqual(resultOf(given, nowMs), expected));
}

Deno.test("the reason is bounded", () => {
  const result = resultOf(answer(500, "x".repeat(100_000)), nowMs);
  assert.ok(result.kind === "retry" && result.reason.length === 500);
});

Deno.test("Retry-After is seconds or a date, never milliseconds, and bounded", () => {
  assert.equal(parseRetryAfter(undefined, nowMs), undefined);
  assert.equal(parseRetryAfter("", nowMs), undefined);
  assert.equal(parseRetryAfter("soon", nowMs), undefined);
  assert.equal(parseRetryAfter(" 2 ", nowMs), 2_000);
  assert.equal(parseRetryAfter("0", nowMs), 0);
  assert.equal(parseRetryAfter("99999999999", nowMs), 3_600_000);
  assert.equal(parseRetryAfter("Wed, 31 Dec 2025 00:00:00 GMT", nowMs), 0);
});

Deno.test("a missing API is told from a missing bucket", () => {
  assert.equal(isMissingApi(answer(404, "404 page not found\n")), true);
  assert.equal(isMissingApi(answer(405)), true);
  assert.equal(isMissingApi(answer(404, '{"error":"database not found"}')), false);
  assert.equal(isMissingApi(answer(404, '{"code":"not found","message":"bucket"}')), false);
  assert.equal(isMissingApi(answer(204)), false);
});
