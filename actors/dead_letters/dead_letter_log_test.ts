import assert from "node:assert/strict";
import fc from "fast-check";
import { anyText } from "../../runtime/testing/any_text.ts";
import { MemoryFiles } from "../segment_log/testing/memory_files.ts";
import { SegmentLog } from "../segment_log/segment_log.ts";
import { DeadLetterLog, type StoredLetter } from "./dead_letter_log.ts";
import { encodeLetter, frameLetters, type Letter, lettersKind } from "./letter.ts";
import { replayLetters } from "./replay.ts";

function letter(name: string, changes: Partial<Letter> = {}): Letter {
  return {
    form: "payload",
    topic: "UPB/RPi_1",
    payload: new TextEncoder().encode(name),
    arrivalMs: 1_574_729_660_000,
    transport: "mqtt",
    reason: "bad_json",
    detail: "Expected a value",
    ...changes,
  };
}

async function open(files: MemoryFiles, bytesMax = 100_000) {
  let dropped = 0;
  const troubles: string[] = [];
  let salt = 0;
  const { log } = await DeadLetterLog.open({
    files,
    directory: "dead",
    bytesMax,
    now: () => 0,
    random32: () => salt += 7919,
    dropped: (letters) => dropped += letters,
    trouble: (action) => troubles.push(action),
  });
  return { log, dropped: () => dropped, troubles };
}

const nameOf = ({ payload }: Letter) => new TextDecoder().decode(payload);

async function names(log: DeadLetterLog): Promise<string[]> {
  return (await log.list(1_000)).letters.map(nameOf);
}

async function commit(log: DeadLetterLog): Promise<void> {
  await log.commit();
  log.committed();
}

Deno.test("a letter comes back as it was, whatever is in it", async () => {
  const text = anyText().map((s) => s.toWellFormed());
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          form: fc.constantFrom("payload" as const, "lines" as const),
          topic: text,
          payload: fc.uint8Array(),
          arrivalMs: fc.double({ noNaN: true }),
          transport: text,
          reason: text,
          detail: text,
        }, { noNullPrototype: true }),
        { minLength: 1, maxLength: 5 },
      ),
      async (letters) => {
        const { log } = await open(new MemoryFiles());
        for (const one of letters) log.add(one);
        await commit(log);
        const listed = (await log.list(10)).letters.map(({ id: _, ...rest }) => rest);
        assert.deepEqual(listed, letters);
        log.close();
      },
    ),
    { numRuns: 100, seed: 3 },
  );
});

Deno.test("letters survive a crash once they were committed", async () => {
  const files = new MemoryFiles();
  const { log } = await open(files);
  log.add(letter("a"));
  log.add(letter("b"));
  assert.equal(log.dirty, true);
  await commit(log);
  assert.equal(log.dirty, false);
  log.add(letter("not committed"));
  const next = await open(files.crashed());
  assert.equal(next.log.count, 2);
  assert.deepEqual(await names(next.log), ["a", "b"]);
});

Deno.test("they are listed by page and by reason", async () => {
  const { log } = await open(new MemoryFiles());
  for (let i = 0; i < 7; i++) {
    log.add(letter(`${i}`, { reason: i % 2 === 0 ? "even" : "odd" }));
    if (i % 3 === 0) await commit(log);
  }
  await commit(log);
  const pages: string[][] = [];
  for (let after: string | undefined, more = true; more;) {
    const page = await log.list(3, after === undefined ? {} : { after });
    pages.push(page.letters.map(nameOf));
    after = page.next;
    more = after !== undefined;
  }
  assert.deepEqual(pages, [["0", "1", "2"], ["3", "4", "5"], ["6"]]);
  const odd = await log.list(2, { reason: "odd" });
  assert.deepEqual(odd.letters.map(nameOf), ["1", "3"]);
  assert.deepEqual(
    (await log.list(9, { reason: "odd", after: odd.next! })).letters.map(nameOf),
    ["5"],
  );
  assert.deepEqual((await log.get(["1-2", "1-99", "nonsense"])).map(nameOf), ["2"]);
  log.close();
});

Deno.test("the newest come first, over segments and past those that were removed", async () => {
  const { log } = await open(new MemoryFiles(), 4_000);
  for (let i = 0; i < 20; i++) {
    log.add(letter(`${i}`));
    await commit(log);
  }
  const all = (await names(log)).toReversed();
  assert.ok(all.length > 8 && all[0] === "19");
  const newest = async (limit: number) => (await log.newest(limit)).map(nameOf);
  for (const limit of [1, 3, 8, 1_000]) assert.deepEqual(await newest(limit), all.slice(0, limit));
  const [, gone, , alsoGone] = await log.newest(4);
  log.remove([gone!.id, alsoGone!.id]);
  await commit(log);
  assert.deepEqual(await newest(3), ["19", "17", "15"]);
  log.close();
});

Deno.test("the newest are the end of the list, whatever came, was removed, or crashed", async () => {
  const step = fc.oneof(
    fc.record({ add: fc.integer({ min: 1, max: 30 }) }),
    fc.record({ remove: fc.array(fc.nat(200), { minLength: 1, maxLength: 40 }) }),
    fc.constant("crash" as const),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 25 }),
      fc.integer({ min: 1, max: 50 }),
      async (steps, limit) => {
        let files = new MemoryFiles();
        let { log } = await open(files, 16_000);
        let added = 0;
        for (const one of steps) {
          if (one === "crash") {
            log.close();
            files = files.crashed();
            ({ log } = await open(files, 16_000));
          } else if ("add" in one) {
            for (let i = 0; i < one.add; i++) log.add(letter(`${added++}`));
          } else {
            const { letters } = await log.list(1_000);
            log.remove(one.remove.flatMap((at) => letters[at]?.id ?? []));
          }
          await commit(log);
          const all = (await names(log)).toReversed();
          assert.equal(all.length, log.count);
          assert.deepEqual((await log.newest(limit)).map(nameOf), all.slice(0, limit));
        }
        log.close();
      },
    ),
    { numRuns: 60, seed: 5 },
  );
});

Deno.test("a segment is small, however much may be kept, and larger ones of before are read", async () => {
  const files = new MemoryFiles();
  let salt = 1;
  const { log: before } = await SegmentLog.open(
    { files, directory: "dead", segmentBytes: 1e9, now: () => 0, random32: () => salt += 31 },
    () => {},
  );
  const large = (name: number) => letter("", { payload: new Uint8Array(500_000).fill(name) });
  for (let i = 0; i < 12; i++) {
    await before.commit(frameLetters([encodeLetter(large(i))]), lettersKind, 1);
  }
  before.close();
  const { log } = await open(files, 1e9);
  for (let i = 12; i < 36; i++) {
    log.add(large(i));
    await commit(log);
  }
  const sizes = [...files.nodes.values()].map(({ bytes }) => bytes.length);
  assert.ok(sizes[0]! > 6_000_000, `${sizes}`);
  assert.ok(sizes.length > 3 && sizes.slice(1).every((size) => size < 5_000_000), `${sizes}`);
  assert.equal(log.count, 36);
  const { letters } = await log.list(1_000);
  assert.equal(letters[0]?.payload[0], 0);
  log.remove(["1-0", "1-11"]);
  await commit(log);
  assert.equal(log.count, 34);
  assert.deepEqual(await log.get(["1-0", "1-11"]), []);
  assert.equal((await log.newest(1))[0]?.payload[0], 35);
  log.close();
});

Deno.test("of large letters fewer are the newest", async () => {
  const { log } = await open(new MemoryFiles(), 1e8);
  assert.deepEqual(await log.newest(10), []);
  for (let i = 0; i < 5; i++) log.add(letter("", { payload: new Uint8Array(200_000).fill(i) }));
  await commit(log);
  assert.deepEqual((await log.newest(10)).map(({ payload }) => payload[0]), [4, 3]);
  log.add(letter("", { payload: new Uint8Array(1_000_000).fill(5) }));
  await commit(log);
  assert.deepEqual((await log.newest(10)).map(({ payload }) => payload[0]), [5]);
  log.close();
});

Deno.test("large letters are listed, and replayed, a few at a time", async () => {
  const { log } = await open(new MemoryFiles(), 1e8);
  for (let i = 0; i < 10; i++) log.add(letter("", { payload: new Uint8Array(200_000).fill(i) }));
  log.add(letter("", { payload: new Uint8Array(1_000_000).fill(10) }));
  await commit(log);
  const seen: number[] = [];
  let after: string | undefined;
  for (;;) {
    const { letters, next } = await log.list(100, after === undefined ? {} : { after });
    assert.ok(letters.length > 0 && letters.length < 4);
    seen.push(...letters.map(({ payload }) => payload[0]!));
    if (next === undefined) break;
    after = next;
  }
  assert.deepEqual(seen, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  const replayed = await replayLetters(log, {}, (letters) => {
    assert.ok(letters.length < 4);
    return Promise.resolve(letters.map(({ id }) => id));
  });
  assert.equal(replayed, 11);
});

Deno.test("over its bound the oldest are given up and counted", async () => {
  const files = new MemoryFiles();
  const { log, dropped } = await open(files, 4_000);
  for (let i = 0; i < 100; i++) {
    log.add(letter(`${i}`));
    await commit(log);
  }
  assert.ok(log.bytes <= 4_000);
  assert.ok(dropped() > 50);
  assert.equal(log.count + dropped(), 100);
  assert.equal((await names(log)).at(-1), "99");
  log.close();
});

Deno.test("a full disk refuses the commit, and the same letters are committed later, once", async () => {
  const files = new MemoryFiles();
  const { log } = await open(files);
  files.capacityBytes = 20;
  log.add(letter("a"));
  log.remove(["1-0"]);
  await assert.rejects(log.commit(), { code: "ENOSPC" });
  assert.equal(log.dirty, true);
  log.add(letter("b"));
  files.capacityBytes = Infinity;
  await commit(log);
  assert.deepEqual(await names(log), ["a", "b"]);
  log.close();
});

Deno.test("removed letters stay removed, and what is empty is deleted", async () => {
  const files = new MemoryFiles();
  const { log } = await open(files, 4_000);
  for (let i = 0; i < 20; i++) {
    log.add(letter(`${i}`));
    await commit(log);
  }
  const { letters } = await log.list(100);
  log.remove(letters.slice(0, 19).map(({ id }) => id));
  await commit(log);
  assert.deepEqual(await names(log), ["19"]);
  assert.equal(log.count, 1);
  log.remove([letters[0]!.id]); // twice is once
  await commit(log);
  log.close();
  const next = await open(files.crashed(), 4_000);
  assert.deepEqual(await names(next.log), ["19"]);
  assert.equal(next.log.count, 1);
  next.log.close();
});

Deno.test("a replay hands out each chosen letter once, and removes those that were taken", async () => {
  const { log } = await open(new MemoryFiles());
  for (let i = 0; i < 600; i++) {
    log.add(letter(`${i}`, { reason: i % 3 === 0 ? "third" : "other" }));
  }
  await commit(log);
  const seen: string[] = [];
  const taken = await replayLetters(log, { reason: "third" }, (letters) => {
    seen.push(...letters.map(nameOf));
    for (const one of letters) if (nameOf(one) === "0") log.add({ ...one, detail: "again" });
    return Promise.resolve(letters.map(({ id }) => id).filter((id) => id !== "1-3"));
  });
  await commit(log);
  assert.equal(seen.length, 200);
  assert.equal(new Set(seen).size, 200);
  assert.equal(taken, 199);
  assert.equal(log.count, 600 - 199 + 1);
  assert.equal(
    await replayLetters(
      log,
      { ids: ["1-1", "1-3", "1-0"] },
      (letters) => Promise.resolve(letters.map(({ id }) => id)),
    ),
    2,
  );
  log.close();
});

Deno.test("one replay of very many takes the oldest 4,096, the next one goes on", async () => {
  const { log } = await open(new MemoryFiles(), 1e7);
  for (let i = 0; i < 5_000; i++) {
    log.add(letter(`${i}`));
    if (i % 100 === 99) await commit(log);
  }
  const seen: string[] = [];
  const take = (letters: readonly StoredLetter[]) => {
    seen.push(...letters.map(nameOf));
    // The first ones fail again: they are behind all others then.
    for (const one of letters) if (Number(nameOf(one)) < 10) log.add(one);
    return Promise.resolve(letters.map(({ id }) => id));
  };
  assert.equal(await replayLetters(log, {}, take), 4_096);
  await commit(log);
  assert.equal(log.count, 5_000 - 4_096 + 10);
  assert.equal(await replayLetters(log, {}, take), 5_000 - 4_096 + 10);
  const expected = [...Array(5_000).keys(), ...Array(10).keys()].map(String);
  assert.deepEqual(seen, expected);
  log.close();
});

Deno.test("nothing to choose from asks nobody", async () => {
  const { log } = await open(new MemoryFiles());
  assert.equal(await replayLetters(log, {}, () => assert.fail()), 0);
});

Deno.test("a file that was removed by hand is given up and counted, and all goes on", async () => {
  for (const found of ["listing", "newest", "making room"]) {
    const files = new MemoryFiles();
    const { log, dropped } = await open(files, 4_000);
    for (let i = 0; i < 12; i++) {
      log.add(letter(`${i}`));
      await commit(log);
    }
    const [first] = files.nodes.keys();
    files.nodes.delete(first!);
    if (found === "listing") await log.list(1_000);
    if (found === "newest") await log.newest(1_000);
    for (let i = 12; i < 80; i++) {
      log.add(letter(`${i}`));
      await commit(log);
    }
    assert.ok(log.bytes <= 4_000 && dropped() > 20, `${found}: ${log.bytes}, ${dropped()}`);
    assert.equal(log.count + dropped(), 80, found);
    assert.equal((await names(log)).length, log.count);
    log.close();
  }
});

Deno.test("the file that is written, removed by hand, takes no letter with it that comes later", async () => {
  const files = new MemoryFiles();
  const { log, dropped } = await open(files);
  log.add(letter("gone"));
  await commit(log);
  files.nodes.delete([...files.nodes.keys()][0]!);
  assert.deepEqual(await names(log), []);
  log.add(letter("later"));
  await commit(log);
  assert.deepEqual(await names(log), ["later"]);
  assert.equal(dropped(), 1);
  log.close();
  assert.deepEqual(await names((await open(files.crashed())).log), ["later"]);
});

Deno.test("what cannot be deleted is told of once, and deleted when it can be", async () => {
  const files = new MemoryFiles();
  const { log, troubles } = await open(files, 4_000);
  for (let i = 0; i < 12; i++) {
    log.add(letter(`${i}`));
    await commit(log);
  }
  log.remove((await log.list(1_000)).letters.map(({ id }) => id));
  files.fault = (operation) => {
    if (operation === "remove") throw new Error("Operation not permitted");
  };
  const { size } = files.nodes;
  await commit(log);
  await commit(log);
  assert.equal(troubles.length, 1);
  assert.match(troubles[0]!, /^remove dead\/0000000001-/);
  assert.ok(files.nodes.size >= size);
  files.fault = () => {};
  await commit(log);
  assert.ok(files.nodes.size < 3);
  log.close();
});

Deno.test("a letter that has its new fate is handed out no more, though its removal is not durable yet", async () => {
  const { log } = await open(new MemoryFiles());
  for (let i = 0; i < 5; i++) log.add(letter(`${i}`));
  await commit(log);
  const takeAll = (letters: readonly StoredLetter[]) =>
    Promise.resolve(letters.map(({ id }) => id));
  assert.equal(await replayLetters(log, { ids: ["1-0", "1-1"] }, takeAll), 2);
  assert.equal(log.count, 3);
  assert.deepEqual(await names(log), ["2", "3", "4"]);
  assert.equal(await replayLetters(log, {}, takeAll), 3);
  assert.equal(log.count, 0);
  await commit(log);
  assert.equal(log.count, 0);
  log.close();
});
