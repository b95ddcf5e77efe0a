import assert from "node:assert/strict";
import { Problem } from "../problem.ts";
import { type TopicValue, valueResponse } from "./topic_value.ts";

const value = (text: string, more: Partial<TopicValue> = {}): TopicValue => ({
  from: "retained",
  payload: new TextEncoder().encode(text),
  ...more,
});

const ask = (one: TopicValue, headers: Record<string, string> = {}): Response =>
  valueResponse(new Request("http://h/api/topics/a", { headers }), one);

Deno.test("the media type is the publisher's, else JSON if it is JSON, and no header is forged", () => {
  const typeOf = (text: string, contentType?: string) =>
    ask(value(text, { contentType })).headers.get("content-type");
  assert.equal(typeOf("{}", "text/csv; charset=utf-8"), "text/csv; charset=utf-8");
  assert.equal(typeOf("[1]"), "application/json");
  assert.equal(typeOf("on"), "application/octet-stream");
  assert.equal(typeOf(""), "application/octet-stream");
  for (const bad of ["text/html\r\nset-cookie: a=b", "html", "", "a/b; c", "ä/b"]) {
    assert.equal(typeOf("on", bad), "application/octet-stream", bad);
  }
  const policy = ask(value("<p>", { contentType: "text/html" })).headers
    .get("content-security-policy");
  assert.match(policy ?? "", /sandbox/);
});

Deno.test("a client that has it already is told so", () => {
  const atMs = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
  const first = ask(value("1", { atMs }));
  const tag = first.headers.get("etag") ?? assert.fail();
  assert.equal(first.headers.get("last-modified"), "Fri, 02 Jan 2026 03:04:05 GMT");
  const status = (headers: Record<string, string>, text = "1") =>
    ask(value(text, { atMs }), headers).status;
  assert.equal(status({ "if-none-match": tag }), 304);
  assert.equal(status({ "if-none-match": `"x", W/${tag}` }), 304);
  assert.equal(status({ "if-none-match": "*" }), 304);
  assert.equal(status({ "if-none-match": tag }, "2"), 200);
  const since = "Fri, 02 Jan 2026 03:04:05 GMT";
  assert.equal(status({ "if-modified-since": since }), 304);
  assert.equal(status({ "if-modified-since": since, "if-none-match": '"x"' }), 200);
  assert.equal(status({ "if-modified-since": "Fri, 02 Jan 2026 03:04:04 GMT" }), 200);
  assert.equal(status({ "if-modified-since": "yesterday" }), 200);
});

Deno.test("what the client does not accept it does not get", () => {
  for (const accept of ["*/*", "application/*", "text/html, application/json;q=0.5"]) {
    assert.equal(ask(value("1"), { accept }).status, 200, accept);
  }
  for (const accept of ["text/html", "application/json;q=0", "image/*"]) {
    assert.throws(
      () => ask(value("1"), { accept }),
      (error) => error instanceof Problem && error.type === "not-acceptable",
      accept,
    );
  }
});
