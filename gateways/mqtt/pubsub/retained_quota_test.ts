import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { noProperties } from "../codec/properties.ts";
import { Message } from "./message.ts";
import { Retained } from "./retained.ts";

const ownedMax = 2;

function message(topic: string, payload: string, expiresMs = Infinity): Message {
  return new Message({
    topic,
    payload: new TextEncoder().encode(payload),
    qos: 1,
    retain: true,
    properties: noProperties,
    expiresMs,
  });
}

/** A file in a directory of its own, as several shards open it. */
function tempFile() {
  const directory = Deno.makeTempDirSync();
  const overQuota: string[] = [];
  let nowMs = 1_000;
  const file = `${directory}/retained.db`;
  return {
    file,
    overQuota,
    at: (ms: number) => nowMs = ms,
    open: () =>
      new Retained({
        file,
        countMax: 1_000,
        bytesMax: 1 << 20,
        ownedMax: (owner) => owner === "free" ? Infinity : ownedMax,
        now: () => nowMs,
        refused: () => assert.fail("there is room"),
        overQuota: (account) => overQuota.push(account),
        failed: (cause) => assert.fail(String(cause)),
      }),
    [Symbol.dispose]: () => Deno.removeSync(directory, { recursive: true }),
  };
}

const topicsOf = (retained: Retained): string[] =>
  retained.page("#", undefined, 1_000).messages.map(({ topic }) => topic);

Deno.test("an account keeps so many; its own it replaces, clearing frees a place, others are not touched", () => {
  using temp = tempFile();
  const shards = [temp.open(), temp.open()] as const;
  const [one, other] = shards;
  for (const topic of ["a", "b"]) {
    assert.ok(one.mayKeep(topic, "A"));
    one.keep(message(topic, "x"), "A");
  }
  assert.ok(!one.mayKeep("c", "A"));
  one.flush(); // The end of its turn.
  assert.ok(!other.mayKeep("c", "A"), "nor in another shard");
  assert.ok(other.mayKeep("a", "A"));
  assert.ok(other.mayKeep("c", "B"));
  assert.ok(other.mayKeep("c", "free"));
  other.keep(message("c", "x"), "B");
  other.flush();
  assert.ok(!one.mayKeep("c", "A"), "what is another's is not its own");
  one.keep(message("a", ""), "A");
  one.flush();
  assert.ok(other.mayKeep("c", "A"));
  other.keep(message("c", "y"), "A");
  assert.ok(other.mayKeep("d", "B"), "what became another's does not count");
  assert.deepEqual(temp.overQuota, ["A", "A", "A"]);
  for (const shard of shards) shard.close();
});

Deno.test("without being asked before, one too many is not kept, and told", () => {
  using temp = tempFile();
  const retained = temp.open();
  for (const topic of ["a", "b", "c"]) retained.keep(message(topic, "x"), "A");
  retained.flush();
  assert.deepEqual([topicsOf(retained), temp.overQuota], [["a", "b"], ["A"]]);
  retained.close();
});

Deno.test("what has expired makes room, and owners are known after a restart", () => {
  using temp = tempFile();
  const before = temp.open();
  before.keep(message("a", "x", 5_000), "A");
  before.keep(message("b", "x"), "A");
  before.close();
  const after = temp.open();
  assert.ok(!after.mayKeep("c", "A"));
  temp.at(6_000);
  assert.ok(after.mayKeep("c", "A"));
  after.close();
});

Deno.test("what an account at its quota publishes is written at once with the rest, refused or not", () => {
  using temp = tempFile();
  const retained = temp.open();
  for (const topic of ["a", "b"]) retained.keep(message(topic, "x"), "A");
  retained.flush();
  const watcher = new DatabaseSync(temp.file, { readOnly: true });
  const version = () => watcher.prepare("PRAGMA data_version").get()?.["data_version"];
  const before = version();
  let refused = 0;
  for (let i = 0; i < 300; i++) {
    const topic = ["a", "b", "c"][i % 3]!;
    if (i % 2 === 0 && !retained.mayKeep(topic, "A")) refused++;
    else retained.keep(message(topic, `${i}`), "A");
    assert.equal(version(), before, `message ${i} has a transaction of its own`);
  }
  assert.deepEqual([refused, temp.overQuota.length], [50, 100]);
  retained.flush();
  assert.notEqual(version(), before);
  assert.deepEqual(topicsOf(retained), ["a", "b"]);
  watcher.close();
  retained.close();
});

Deno.test("a file of an earlier Sluice is taken over; what it holds is nobody's", () => {
  using temp = tempFile();
  const seed = temp.open();
  seed.keep(message("old", "x"), "A");
  seed.close();
  const database = new DatabaseSync(temp.file);
  for (const name of ["owner_in", "owner_again", "owner_out"]) {
    database.exec(`DROP TRIGGER ${name}`);
  }
  database.exec("DROP TABLE owners; ALTER TABLE retained DROP COLUMN owner");
  database.close();
  const [one, other] = [temp.open(), temp.open()];
  assert.deepEqual(topicsOf(one), ["old"]);
  for (const topic of ["a", "b"]) one.keep(message(topic, "x"), "A");
  one.flush();
  assert.ok(!other.mayKeep("old", "A"));
  one.close();
  other.close();
});

/** Whose message a topic has. */
type Model = Map<string, string>;
const countOf = (model: Model, owner: string): number =>
  [...model.values()].filter((one) => one === owner).length;

Deno.test("model: whatever two shards are told, owners have what the model has, and no more than they may", () => {
  const step = fc.record({
    shard: fc.constantFrom(0, 1),
    topic: fc.constantFrom("t/1", "t/2", "t/3", "t/4", "t/5"),
    owner: fc.constantFrom("A", "B", "free", ""),
    kind: fc.constantFrom("keep", "keep", "keep", "clear", "restart"),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      using temp = tempFile();
      const shards = [temp.open(), temp.open()];
      const model: Model = new Map();
      for (const { shard, topic, owner, kind } of steps) {
        const retained = shards[shard]!;
        const bounded = owner === "A" || owner === "B";
        const may = !bounded || model.get(topic) === owner || countOf(model, owner) < ownedMax;
        switch (kind) {
          case "keep":
            assert.equal(retained.mayKeep(topic, owner), may);
            if (!may) break;
            retained.keep(message(topic, "x"), owner);
            model.set(topic, owner);
            break;
          case "clear":
            retained.keep(message(topic, ""), owner);
            model.delete(topic);
            break;
          case "restart":
            retained.close();
            shards[shard] = temp.open();
        }
        shards[shard]!.flush(); // The end of the turn.
        assert.deepEqual(topicsOf(shards[1 - shard]!), [...model.keys()].toSorted());
      }
      for (const retained of shards) retained.close();
    }),
    { numRuns: 60 },
  );
});

Deno.test("model: in one turn of one shard, too, asked before or not", () => {
  const step = fc.record({
    topic: fc.constantFrom("t/1", "t/2", "t/3", "t/4"),
    owner: fc.constantFrom("A", "A", "B", "free"),
    kind: fc.constantFrom("ask", "keep", "clear", "flush"),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      using temp = tempFile();
      const retained = temp.open();
      const model: Model = new Map();
      let over = 0;
      for (const { topic, owner, kind } of steps) {
        if (kind === "flush") {
          retained.flush();
          continue;
        }
        const may = owner === "free" || model.get(topic) === owner ||
          countOf(model, owner) < ownedMax;
        if (kind !== "clear" && !may) over++;
        if (kind === "ask") {
          assert.equal(retained.mayKeep(topic, owner), may);
          if (!may) continue;
        }
        retained.keep(message(topic, kind === "clear" ? "" : "x"), owner);
        if (kind !== "clear" && may) model.set(topic, owner);
        else model.delete(topic);
      }
      assert.deepEqual(topicsOf(retained), [...model.keys()].toSorted());
      for (const owner of ["A", "B"]) {
        for (const topic of ["new/1", "new/2"]) {
          const may = countOf(model, owner) < ownedMax;
          if (!may) over++;
          assert.equal(retained.mayKeep(topic, owner), may);
          if (!may) break;
          retained.keep(message(topic, "x"), owner);
          model.set(topic, owner);
        }
      }
      assert.equal(temp.overQuota.length, over);
      retained.close();
    }),
    { numRuns: 150 },
  );
});
