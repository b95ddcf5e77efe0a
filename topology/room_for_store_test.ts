import assert from "node:assert/strict";
import { roomForStore } from "./room_for_store.ts";

const mib = 1024 * 1024;

Deno.test("spools leave a part of a small disk, and 8 MiB of a large one, to the embedded store", () => {
  const may = (bytes: number, bytesTotal: number, bytesMore: number) =>
    roomForStore(() => ({ bytes, bytesTotal, files: undefined }))(bytesMore);
  assert.deepEqual([may(2 * mib, 6 * mib, mib), may(2 * mib, 6 * mib, mib + 1)], [true, false]);
  assert.deepEqual([may(9 * mib, 600 * mib, mib), may(9 * mib, 600 * mib, mib + 1)], [true, false]);
  assert.equal(roomForStore(() => undefined)(mib), true);
});
