import assert from "node:assert/strict";
import { MemoryFiles } from "../segment_log/testing/memory_files.ts";
import { adoptLetters } from "./adoption.ts";
import { DeadLetterLog } from "./dead_letter_log.ts";
import type { DeadLetterOptions } from "./dead_letter_options.ts";

interface Changes {
  readonly bytesMax?: number;
  readonly payloadBytes?: number;
}

const payloadOf = (letter: string, bytes: number) => new TextEncoder().encode(letter.padEnd(bytes));

function optionsOf(files: MemoryFiles, directory: string, bytesMax = 100_000) {
  let salt = 0;
  const dropped = { letters: 0 };
  const options: DeadLetterOptions = {
    files,
    directory,
    bytesMax,
    now: () => 0,
    random32: () => salt += 7919,
    added: () => assert.fail("told of as new"),
    dropped: (letters) => dropped.letters += letters,
  };
  return { options, dropped };
}

async function letterLog(
  files: MemoryFiles,
  directory: string,
  names: readonly string[],
  { bytesMax = 100_000, payloadBytes = 0 }: Changes = {},
): Promise<DeadLetterLog> {
  const { options } = optionsOf(files, directory, bytesMax);
  const { log } = await DeadLetterLog.open({ ...options, added: () => {} });
  for (const name of names) {
    log.add({
      topic: "UPB/RPi_1",
      payload: payloadOf(name, payloadBytes),
      arrivalMs: 1,
      transport: "mqtt",
      reason: "bad_json",
      detail: "",
    });
    await log.commit();
  }
  return log;
}

async function namesOf(log: DeadLetterLog): Promise<string[]> {
  const names: string[] = [];
  for (let after: string | undefined, more = true; more;) {
    const { letters, next } = await log.list(10_000, after === undefined ? {} : { after });
    names.push(...letters.map(({ payload }) => new TextDecoder().decode(payload).trim()));
    after = next;
    more = next !== undefined;
  }
  return names;
}

/** What an heir has when it starts. */
async function heir(files: MemoryFiles, bytesMax?: number) {
  const { options, dropped } = optionsOf(files, "0", bytesMax);
  const { log } = await DeadLetterLog.open(options);
  return { log, dropped, from: optionsOf(files, "2", bytesMax).options };
}

Deno.test("the dead letters of a shard that is no more are taken over, wherever a crash falls", async () => {
  for (let stop = 0, crashed = true; crashed; stop++) {
    const before = new MemoryFiles();
    (await letterLog(before, "0", ["a", "b"])).close();
    const gone = await letterLog(before, "2", ["c", "d", "removed", "e"]);
    gone.remove(["1-2"]);
    await gone.commit();
    gone.close();
    let operations = 0;
    crashed = false;
    before.fault = (operation) => {
      if (!["write", "sync", "create", "remove"].includes(operation) || operations++ < stop) return;
      crashed = true;
      throw new Error("the machine stops here");
    };
    const first = await heir(before);
    await adoptLetters(first.log, first.from).catch(() => {});
    const files = before.crashed();
    const { log, from, dropped } = await heir(files);
    if (files.list("2").files.length > 0) await adoptLetters(log, from);
    const names = await namesOf(log);
    assert.deepEqual([...new Set(names)], ["a", "b", "c", "d", "e"], `stop ${stop}`);
    if (!crashed) assert.equal(names.length, 5);
    assert.equal(dropped.letters, 0);
    assert.deepEqual(files.list("2").files, []);
    log.close();
  }
});

Deno.test("a full disk takes over what it can, and the next start the rest, none of it twice", async () => {
  const files = new MemoryFiles();
  const names = Array.from({ length: 8 }, (_, i) => `${i}`);
  (await letterLog(files, "2", names, { bytesMax: 1e8, payloadBytes: 200_000 })).close();
  files.capacityBytes = files.usedBytes + 600_000;
  const first = await heir(files, 1e8);
  await assert.rejects(adoptLetters(first.log, first.from), { code: "ENOSPC" });
  assert.equal(first.log.dirty, false);
  first.log.close();
  files.capacityBytes = Infinity;
  const { log, from } = await heir(files, 1e8);
  const there = log.count;
  assert.ok(there > 0 && there < 8, `${there}`);
  assert.equal(await adoptLetters(log, from), 8 - there);
  assert.deepEqual(await namesOf(log), names);
  log.close();
});

Deno.test("more than may be kept are taken over up to the bound, the newest of them, and counted", async () => {
  const files = new MemoryFiles();
  const names = Array.from({ length: 100 }, (_, i) => `${i}`);
  (await letterLog(files, "2", names, { payloadBytes: 500 })).close();
  const { log, dropped, from } = await heir(files, 8_000);
  await adoptLetters(log, from);
  const left = await namesOf(log);
  assert.ok(log.bytes <= 8_000 && left.length > 5, `${left}`);
  assert.deepEqual(left, names.slice(-left.length));
  assert.equal(dropped.letters, 100 - left.length);
  log.close();
});
