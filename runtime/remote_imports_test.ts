import assert from "node:assert/strict";
import v8 from "node:v8";
import vm from "node:vm";
import { RemoteImports } from "./remote_imports.ts";
import type { RemoteRoute } from "./remote_ref.ts";

const route: RemoteRoute = {
  lost: undefined,
  tell: () => "accepted",
  watch() {},
  unwatch() {},
};

function collectGarbage(): void {
  v8.setFlagsFromString("--expose-gc");
  const collect: unknown = vm.runInNewContext("gc");
  assert.ok(typeof collect === "function");
  collect();
}

Deno.test("a ref that was let go of is released as often as it was received", async () => {
  const released: [id: number, times: number][] = [];
  const imports = new RemoteImports(route, (id, times) => released.push([id, times]));
  const kept = imports.refAt(1, "kept");
  (() => {
    const first = imports.refAt(7, "let go of");
    assert.equal(imports.refAt(7, "let go of"), first);
  })();
  assert.equal(imports.count, 2);
  // A WeakRef holds its target until the turn that read it ends, and the release is a later turn.
  for (let turns = 0; released.length === 0 && turns < 100; turns++) {
    await new Promise((resolve) => setTimeout(resolve));
    collectGarbage();
  }
  assert.deepEqual(released, [[7, 2]]);
  assert.equal(imports.count, 1);
  assert.equal(imports.refAt(1, "kept"), kept);
});
