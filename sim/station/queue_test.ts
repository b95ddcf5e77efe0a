import assert from "node:assert/strict";
import { StationQueue } from "./queue.ts";

function withFile(test: (path: string) => void): void {
  const dir = Deno.makeTempDirSync();
  try {
    test(`${dir}/queue`);
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
}

Deno.test("what is not acknowledged is there after a kill, in its order, and ids go on", () => {
  withFile((path) => {
    const queue = StationQueue.open(path);
    for (const payload of ["a", "b", "c"]) queue.add(payload);
    queue.remove(2);
    queue.remove(2);
    queue.close();
    const again = StationQueue.open(path);
    assert.deepEqual([...again.waiting()], [[1, "a"], [3, "c"]]);
    assert.equal(again.add("d").id, 4);
    for (const id of [1, 3, 4]) again.remove(id);
    again.close();
    const empty = StationQueue.open(path);
    assert.deepEqual([empty.size, empty.nextId], [0, 5]);
    empty.close();
  });
});

Deno.test("a file that was cut at any byte has every reading up to there", () => {
  withFile((path) => {
    const queue = StationQueue.open(path);
    for (let i = 0; i < 5; i++) queue.add(`payload ${i}`);
    queue.remove(1);
    queue.close();
    const bytes = Deno.readFileSync(path);
    for (let end = 0; end <= bytes.length; end++) {
      Deno.writeFileSync(path, bytes.subarray(0, end));
      const cut = StationQueue.open(path);
      const lines = new TextDecoder().decode(bytes.subarray(0, end)).split("\n").slice(0, -1);
      const added = lines.filter((line) => line.startsWith("+")).length;
      assert.equal(cut.size, added - lines.filter((line) => line.startsWith("-")).length);
      assert.equal(cut.nextId, added + 1);
      cut.close();
    }
  });
});

Deno.test("the file does not grow with what was acknowledged", () => {
  withFile((path) => {
    const queue = StationQueue.open(path, 50);
    for (let i = 0; i < 210; i++) queue.remove(queue.add("x".repeat(100)).id);
    queue.close();
    assert.ok(Deno.statSync(path).size < 2_000);
  });
});
