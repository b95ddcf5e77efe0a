import assert from "node:assert/strict";
import { messageOf } from "./message_of.ts";

Deno.test("what was thrown is told by its message, and what is no error as it is", () => {
  assert.equal(messageOf(new RangeError("too far")), "too far");
  assert.deepEqual(["gone", 7, undefined].map(messageOf), ["gone", "7", "undefined"]);
});
