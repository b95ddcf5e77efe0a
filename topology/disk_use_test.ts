import assert from "node:assert/strict";
import { diskUse } from "./disk_use.ts";

Deno.test("the largest parts of a data directory are named, databases with their logs", async () => {
  const root = await Deno.makeTempDir();
  const mib = (count: number) => new Uint8Array(count * 1024 * 1024).fill(1);
  await Deno.mkdir(`${root}/spool/0`, { recursive: true });
  await Deno.mkdir(`${root}/spool/1`);
  await Deno.mkdir(`${root}/dead_letters/0`, { recursive: true });
  await Deno.writeFile(`${root}/spool/0/a`, mib(1));
  await Deno.writeFile(`${root}/spool/1/b`, mib(1));
  await Deno.writeFile(`${root}/dead_letters/0/c`, mib(4));
  await Deno.writeFile(`${root}/store.db`, mib(1));
  await Deno.writeFile(`${root}/store.db-wal`, mib(2));
  await Deno.writeFile(`${root}/gateway_id`, new Uint8Array(9));
  assert.equal(
    diskUse(root),
    "the data directory holds 9.0 MiB: dead_letters 4.0 MiB, store.db 3.0 MiB, spool 2.0 MiB",
  );
  assert.deepEqual([...Deno.readDirSync(root)].length, 5);
  await Deno.remove(root, { recursive: true });
  assert.equal(diskUse(root), "the data directory holds 0.0 MiB");
});
