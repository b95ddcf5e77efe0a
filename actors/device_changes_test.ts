import assert from "node:assert/strict";
import { ChangeCounter, fnv1a, lastChangeOf } from "./device_changes.ts";

Deno.test("changes are numbered in their order, whatever the clock does", () => {
  const changes = new ChangeCounter();
  assert.equal(changes.next(1_000), 1_000_000);
  assert.equal(changes.next(1_000), 1_000_001);
  assert.equal(changes.next(999), 1_000_002);
  assert.equal(changes.reach(2_000), 2_000_000);
  assert.equal(changes.next(1_999), 2_000_001);
});

Deno.test("a device changes once more when it becomes silent, and when it goes offline", () => {
  const timeouts = { silentAfterMs: 10, offlineAfterMs: 50 };
  assert.equal(lastChangeOf("a", 1_000_007, 1_000, "online", timeouts), 1_000_007);
  const silent = lastChangeOf("a", 1_000_007, 1_000, "silent", timeouts);
  const offline = lastChangeOf("a", 1_000_007, 1_000, "offline", timeouts);
  assert.equal(offline - silent, 40_000);
  assert.ok(silent >= 1_010_000 && silent < 2_010_000);
});

Deno.test("FNV-1a is the public one", () => {
  assert.equal(fnv1a(""), 0x811c9dc5);
  assert.equal(fnv1a("foobar"), 0xbf9cf968);
});
