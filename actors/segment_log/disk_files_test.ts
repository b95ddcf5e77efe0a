import assert from "node:assert/strict";
import { diskFiles } from "./disk_files.ts";
import { readFully } from "./files.ts";

Deno.test("the disk does what a log asks of it", async () => {
  const root = Deno.makeTempDirSync();
  const directory = `${root}/a/b`;
  try {
    assert.deepEqual(diskFiles.list(directory), { files: [], directories: [] });
    diskFiles.makeDirectory(directory);
    diskFiles.makeDirectory(directory);
    const file = diskFiles.create(`${directory}/x`);
    assert.throws(() => diskFiles.create(`${directory}/x`), Deno.errors.AlreadyExists);
    assert.equal(file.write(new Uint8Array([1, 2, 3, 4]), 0), 4);
    assert.equal(file.write(new Uint8Array([9]), 1), 1);
    await file.sync();
    await diskFiles.syncDirectory(directory);
    const into = new Uint8Array(10);
    assert.equal(await readFully(file, into, 1), 3);
    assert.deepEqual([...into.subarray(0, 3)], [9, 3, 4]);
    file.truncate(2);
    file.close();
    const again = diskFiles.open(`${directory}/x`);
    assert.equal(again.openedBytes, 2);
    again.close();
    diskFiles.rename(`${directory}/x`, `${directory}/y`);
    assert.deepEqual(diskFiles.list(directory).files, ["y"]);
    assert.deepEqual(diskFiles.list(`${root}/a`).directories, ["b"]);
    diskFiles.remove(`${directory}/y`);
    diskFiles.remove(directory);
    assert.deepEqual(diskFiles.list(`${root}/a`).directories, []);
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
});
