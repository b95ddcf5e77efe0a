import assert from "node:assert/strict";
import { DirectoryInUseError, lockDirectory } from "./lock.ts";

Deno.test("a directory has one holder at a time, and the error says who", () => {
  const directory = Deno.makeTempDirSync();
  const lock = lockDirectory(directory, 4711);
  assert.throws(() => lockDirectory(directory), (cause) => {
    return cause instanceof DirectoryInUseError && cause.message.includes("process 4711 ");
  });
  lock.release();
  lockDirectory(directory, 12).release();
  assert.equal(Deno.readTextFileSync(`${directory}/lock`), "12\n");
  Deno.removeSync(directory, { recursive: true });
});
