import assert from "node:assert/strict";
import { TestSystem } from "../../runtime/testing/test_system.ts";
import { MemoryFiles } from "../segment_log/testing/memory_files.ts";
import { CommitRequest, SpoolActor, type SpoolMessage } from "./spool_actor.ts";
import { addReading, openTestSpool } from "./testing/test_spool.ts";

async function start() {
  const test = new TestSystem();
  const files = new MemoryFiles();
  const { spool, told } = await openTestSpool(files, {}, test.clock);
  const request = new CommitRequest();
  const ref = test.spawn<SpoolMessage>({
    id: "spool",
    start: () => new SpoolActor(spool, request),
  });
  return {
    test,
    files,
    told,
    /** Lets the commits that are due take place, one after the other. */
    async committed() {
      for (let i = 0; i < 5; i++) await test.settle();
    },
    add(line: string, when: "now" | "soon") {
      addReading(spool, line);
      request.ask(ref, when);
    },
  };
}

Deno.test("what nobody waits for gathers for a while and is committed together", async () => {
  const { test, told, add, committed } = await start();
  add("a", "soon");
  test.advance(10);
  add("b", "soon");
  test.advance(39);
  await committed();
  assert.deepEqual(told, []);
  test.advance(1);
  await committed();
  assert.deepEqual(told, ["committed 2"]);
  add("c", "soon");
  test.advance(50);
  await committed();
  assert.deepEqual(told, ["committed 2", "committed 1"]);
  await test.stop();
});

Deno.test("what somebody waits for takes along at once what has gathered", async () => {
  const { test, told, add, committed } = await start();
  add("a", "soon");
  await committed();
  add("b", "now");
  await committed();
  assert.deepEqual(told, ["committed 2"]);
  test.advance(100);
  await committed();
  assert.deepEqual(told, ["committed 2"]);
  await test.stop();
});

Deno.test("what is asked for while a commit is on its way follows it at once", async () => {
  const { test, told, add, committed } = await start();
  add("a", "now");
  test.run(); // Begun, and not ended before a promise has its turn.
  add("b", "soon");
  add("c", "now");
  await committed();
  assert.deepEqual(told, ["committed 1", "committed 2"]);
  await test.stop();
});

Deno.test("what gathered while the disk refused follows when it takes again", async () => {
  const { test, files, told, add, committed } = await start();
  files.fault = (operation) => {
    if (operation === "write") throw new Error("no");
  };
  add("a", "soon");
  test.advance(50);
  await committed();
  add("b", "soon");
  test.advance(50);
  await committed();
  files.fault = () => {};
  test.advance(1_000);
  await committed();
  assert.deepEqual(told, ["stalled failed", "resumed", "committed 1", "committed 1"]);
  await test.stop();
});

Deno.test("what gathers is committed when the spool stops", async () => {
  const { test, told, add, committed } = await start();
  add("a", "soon");
  await committed();
  await test.stop();
  assert.deepEqual(told, ["committed 1"]);
});
