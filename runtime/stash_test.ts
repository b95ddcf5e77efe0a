import assert from "node:assert/strict";
import { mailboxBounds } from "./mailbox.ts";
import { Stash } from "./stash.ts";

Deno.test("a stash is bounded in count", () => {
  const stash = new Stash(2, mailboxBounds({ countMax: 10 }));
  assert.deepEqual(["a", "b", "c"].map((m) => stash.put(m)), [true, true, false]);
  assert.equal(stash.count, 2);
  assert.deepEqual(stash.takeAll(), ["a", "b"]);
  assert.deepEqual(stash.takeAll(), []);
  assert.equal(stash.put("c"), true);
});

Deno.test("a stash is bounded in bytes as its mailbox is", () => {
  const sizeOf = (message: string) => message.length;
  const stash = new Stash(10, mailboxBounds({ countMax: 10, bytesMax: 5, sizeOf }));
  assert.deepEqual(["abc", "def", "gh"].map((m) => stash.put(m)), [true, false, true]);
  stash.takeAll();
  assert.equal(stash.put("abcde"), true);
});
