import assert from "node:assert/strict";
import { Problem } from "../problem.ts";
import { publishOrder } from "./publish_order.ts";

function orderOf(contentType: string) {
  const headers = { "content-type": contentType };
  const url = "http://localhost/api/topics/a";
  return publishOrder(new Request(url, { method: "PUT", headers, body: "1" }), true);
}

Deno.test("the content type goes with the message, unless it is a form's", () => {
  const longest = `text/plain;a=${"é".repeat(1_011)}`;
  assert.equal(longest.length, 1_024);
  for (const type of ["text/plain", longest]) {
    assert.deepEqual(orderOf(type).properties, { contentType: type });
  }
  assert.deepEqual(orderOf("application/x-www-form-urlencoded").properties, {});
});

Deno.test("a content type that no message could carry is refused", () => {
  for (const count of [1_012, 66_000]) {
    assert.throws(
      () => orderOf(`text/plain;a=${"a".repeat(count)}`),
      (cause) => cause instanceof Problem && cause.type === "invalid-header",
    );
  }
});
