import assert from "node:assert/strict";
import { Validator } from "@seriousme/openapi-schema-validator";
import { problemTypes } from "../problem.ts";
import { openApiDocument, problemsOf } from "./document.ts";
import {
  controlOperations,
  edgeOperations,
  findResource,
  operations,
  withoutOperation,
} from "./resources.ts";
import { accountOperations } from "./operations/accounts.ts";
import { dashboardOperations, serviceOperations } from "./operations/service.ts";
import { banOperations } from "./operations/bans.ts";
import { quarantineOperations } from "./operations/quarantine.ts";
import { connectionOperations } from "./operations/connections.ts";
import { historyOperations, readingOperations } from "./operations/readings.ts";
import { topicOperations } from "./operations/topics.ts";
import { documentChecker } from "../testing/document_checker.ts";

const document = openApiDocument("1.2.3");

Deno.test("the document is OpenAPI 3.1", async () => {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(structuredClone(document));
  assert.ok(valid, JSON.stringify(errors));
  assert.equal(validator.version, "3.1");
});

Deno.test("every schema is one, every reference leads somewhere, every example fits", () => {
  const checker = documentChecker(document);
  assert.ok(checker.schemas > 100, `${checker.schemas} schemas`);
  assert.ok(checker.checkExamples() > 8);
});

Deno.test("an answer that the document does not have is found out", () => {
  const { check } = documentChecker(document);
  const body = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
  const headers = new Headers({ "content-type": "application/json" });
  const good = { status: 200, headers, body: body({ replayed: 1, remaining: 0 }) };
  const replay = "POST /api/dead-letters/replay";
  check(replay, good);
  const refused = [
    { ...good, status: 201 },
    { ...good, body: body({ replayed: 1 }) },
    { ...good, body: body({ replayed: 1, remaining: 0, more: 1 }) },
    { ...good, headers: new Headers({ "content-type": "text/html" }) },
    { ...good, status: 503, headers: new Headers({ "content-type": "application/problem+json" }) },
  ];
  for (const answer of refused) assert.throws(() => check(replay, answer), assert.AssertionError);
  const events = (text: string) => ({
    status: 200,
    headers: new Headers({ "content-type": "text/event-stream" }),
    body: new TextEncoder().encode(text),
  });
  const tally = (checksum: string) =>
    events(`event: tally\ndata: {"devices":1,"checksum":"${checksum}"}\n\n`);
  check("GET /api/live", tally("0badcafe"));
  assert.throws(() => check("GET /api/live", tally("odd")), assert.AssertionError);
  assert.throws(() => check("GET /api/live", events("event: x\ndata: {}\n\n")));
});

Deno.test("no operation hides another, and each has one way to it", () => {
  const tables = [
    serviceOperations,
    dashboardOperations,
    accountOperations,
    banOperations,
    quarantineOperations,
    historyOperations,
    readingOperations,
    topicOperations,
    connectionOperations,
  ];
  const names = tables.flatMap((table) => Object.keys(table));
  assert.deepEqual(Object.keys(operations).sort(), names.sort());
  assert.equal(
    Object.keys(controlOperations).length + Object.keys(edgeOperations).length,
    names.length,
  );
  for (const [id, { path, method, parameters = [] }] of Object.entries(operations)) {
    assert.equal(findResource(path.replace(/\{\w+\}/, "x"))?.operations.get(method), id);
    const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const declared = parameters.filter((one) => one.in === "path").map(({ name }) => name);
    assert.deepEqual(declared, named, path);
  }
});

Deno.test("every type of problem is told of", () => {
  const told = new Set(Object.values(operations).flatMap(problemsOf));
  // These are the answers to what is no operation, or no request.
  assert.deepEqual(problemTypes.filter((type) => !told.has(type)), [
    "tls-required",
    "method-not-allowed",
    "head-too-slow",
    "head-too-large",
    "version-not-supported",
  ]);
});

Deno.test("paths are compared as they are written", () => {
  const found = (path: string) => {
    const { path: template, name } = findResource(path) ?? {};
    return [template, name];
  };
  assert.deepEqual(found("/api/devices"), ["/api/devices", undefined]);
  assert.deepEqual(found("/api/devices/a/b%2Fc"), ["/api/devices/{id}", "a/b%2Fc"]);
  assert.deepEqual(found("/api/topics//a/"), ["/api/topics/{topic}", "/a/"]);
  assert.deepEqual(found("/api/stations/a%2Fb/commands"), [
    "/api/stations/{name}/commands",
    "a%2Fb",
  ]);
  const nowhere = [
    "/api/devices/",
    "/api/topics/",
    "/api/stations/a/b/commands",
    "/api/stations//commands",
    "/%61pi/devices",
    "/api/%64evices",
    "/api/devices%2Fx",
    "//api/devices",
    "/API/devices",
    "/toString",
  ];
  for (const path of nowhere) assert.deepEqual(found(path), [undefined, undefined], path);
});

Deno.test("what is no operation is 404, 405 with what is allowed, or OPTIONS", async () => {
  const cases = [
    ["GET", "/api/device", 404, null],
    ["DELETE", "/api/devices", 405, "GET, HEAD"],
    ["PATCH", "/api/accounts", 405, "GET, HEAD, POST, DELETE"],
    ["OPTIONS", "/api/topics/a", 204, "GET, HEAD, PUT, POST, DELETE"],
    ["OPTIONS", "/nowhere", 404, null],
  ] as const;
  for (const [method, path, status, allow] of cases) {
    const answer = withoutOperation(new Request(`http://h${path}`, { method }));
    assert.equal(answer.status, status, `${method} ${path}`);
    assert.equal(answer.headers.get("allow"), allow, path);
    await answer.body?.cancel();
  }
  const dot = withoutOperation(new Request("http://h/api/devices/%2E"));
  assert.match((await dot.json()).detail, /^nothing at \/api\/devices\/; a name is missing/);
});
