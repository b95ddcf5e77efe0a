import assert from "node:assert/strict";
import { noProperties } from "../codec/properties.ts";
import { Message } from "./message.ts";
import { Retained, type RetainedOptions } from "./retained.ts";

const utf8 = new TextEncoder();

function message(topic: string, payload: string, expiresMs = Infinity): Message {
  return new Message({
    topic,
    payload: utf8.encode(payload),
    qos: 1,
    retain: true,
    properties: { ...noProperties, contentType: "text" },
    expiresMs,
  });
}

interface Store {
  readonly file: string;
  nowMs: number;
  refused: number;
  failed: number;
  overQuota: string[];
  /** Times that the file failed, whether a message was lost by it or not. */
  faults: number;
  open(): Retained;
}

async function withStore(
  options: Partial<RetainedOptions>,
  run: (store: Store) => void,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  const file = `${directory}/retained.db`;
  const store: Store = {
    file,
    nowMs: 1_000,
    refused: 0,
    failed: 0,
    overQuota: [],
    faults: 0,
    open: () =>
      new Retained({
        file,
        countMax: 10_000,
        bytesMax: 1 << 20,
        ownedMax: () => Infinity,
        now: () => store.nowMs,
        refused: (count) => store.refused += count,
        overQuota: (account) => store.overQuota.push(account),
        failed: (_cause, count) => {
          store.faults++;
          store.failed += count;
        },
        ...options,
      }),
  };
  try {
    run(store);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function all(retained: Retained, filter: string, nowMs = 0): string[] {
  const found: string[] = [];
  let after: string | undefined;
  do {
    const page = retained.page(filter, after, nowMs);
    found.push(...page.messages.map(({ topic }) => topic));
    after = page.after;
  } while (after !== undefined);
  return found;
}

Deno.test("the last message of a topic stays, over a restart and for another shard", () =>
  withStore({}, (store) => {
    const first = store.open();
    first.keep(message("a/b", "old"));
    first.keep(message("a/b", "new"));
    first.keep(message("a/c", "gone"));
    first.flush();
    first.keep(message("a/c", ""));
    first.flush();
    const second = store.open();
    const [found, ...more] = second.page("a/+", undefined, 0).messages;
    assert.deepEqual(more, []);
    assert.equal(new TextDecoder().decode(found?.payload), "new");
    assert.deepEqual([found?.qos, found?.retain], [1, true]);
    assert.deepEqual(found?.properties, { contentType: "text" });
    assert.equal(second.total.count, 1);
    first.close();
    second.close();
    const again = store.open();
    assert.deepEqual(all(again, "#"), ["a/b"]);
    again.close();
  }));

Deno.test("every filter finds what it matches, page by page", () =>
  withStore({}, (store) => {
    const retained = store.open();
    const topics = ["a", "a!", "a/", "a/b", "a/b/c", "a\u{10ffff}", "ab", "b/b", "$SYS/x"];
    for (let i = 0; i < 1_500; i++) topics.push(`many/${i}/x`, `many/${i}/y`);
    for (const topic of topics) retained.keep(message(topic, "x"));
    assert.deepEqual(all(retained, "a/#"), ["a", "a/", "a/b", "a/b/c"]);
    assert.deepEqual(all(retained, "a"), ["a"]);
    assert.deepEqual(all(retained, "+/b"), ["a/b", "b/b"]);
    assert.deepEqual(all(retained, "$SYS/#"), ["$SYS/x"]);
    assert.equal(all(retained, "many/+/x").length, 1_500);
    assert.equal(new Set(all(retained, "#")).size, retained.total.count - 1);
    retained.close();
  }));

/** Destroys the pages of SQLite's file that hold rows, and whose text `spoilt` picks. */
function spoil(file: string, spoilt: (text: string) => boolean): number {
  const bytes = Deno.readFileSync(file);
  const pageBytes = new DataView(bytes.buffer).getUint16(16);
  const leaf = 0x0a;
  let count = 0;
  for (let at = pageBytes; at < bytes.length; at += pageBytes) {
    const page = bytes.subarray(at, at + pageBytes);
    if (page[0] !== leaf || !spoilt(new TextDecoder().decode(page))) continue;
    page.fill(0xff);
    count++;
  }
  Deno.writeFileSync(file, bytes);
  return count;
}

Deno.test("a page is read from where the last one ended, a start reads none", () =>
  withStore({ countMax: 20_000, bytesMax: 1 << 24 }, (store) => {
    const name = (i: number) => `t/${String(i).padStart(5, "0")}`;
    const before = store.open();
    for (let i = 0; i < 6_000; i++) before.keep(message(name(i), "x".repeat(40)));
    before.close();
    // All that stands before the middle: who looks at it again fails.
    const damaged = spoil(store.file, (text) => /t\/0[012]\d{3}/.test(text) && !/t\/03/.test(text));
    assert.equal(damaged > 50, true, `${damaged} pages`);
    const retained = store.open();
    assert.equal(store.faults, 0);
    for (const filter of ["#", "t/#", "+/+"]) {
      let after: string | undefined = name(3_100);
      let found = 0;
      while (after !== undefined) {
        const page = retained.page(filter, after, 0);
        found += page.messages.length;
        after = page.after;
      }
      assert.deepEqual([found, store.faults], [2_899, 0], filter);
    }
    assert.equal(retained.page(name(5_999), undefined, 0).messages.length, 1);
    assert.equal(store.faults, 0);
    retained.page("#", undefined, 0);
    assert.equal(store.faults, 1, "the pages are read when they are needed");
    retained.close();
  }));

Deno.test("what has expired is not given, and makes room", () =>
  withStore({ countMax: 2 }, (store) => {
    const retained = store.open();
    retained.keep(message("a", "x", 5_000));
    retained.keep(message("b", "x"));
    assert.deepEqual(all(retained, "#", 4_999), ["a", "b"]);
    assert.deepEqual(all(retained, "#", 5_000), ["b"]);
    store.nowMs = 6_000;
    retained.keep(message("c", "x"));
    retained.flush();
    assert.equal(store.refused, 1);
    retained.keep(message("c", "x"));
    assert.deepEqual(all(retained, "#", 6_000), ["b", "c"]);
    retained.close();
  }));

Deno.test("beyond its bounds nothing is kept, not even what was there before", () =>
  withStore({ bytesMax: 1_000 }, (store) => {
    const retained = store.open();
    retained.keep(message("a", "x"));
    retained.keep(message("b", "x"));
    retained.flush();
    retained.keep(message("a", "x".repeat(2_000)));
    assert.deepEqual(all(retained, "#"), ["b"]);
    assert.equal(store.refused, 1);
    assert.deepEqual(store.failed, 0);
    retained.close();
  }));

Deno.test("a file that cannot be opened is counted, and tried again", async () => {
  const directory = await Deno.makeTempDir();
  const file = `${directory}/not_yet/retained.db`;
  await withStore({ file }, (store) => {
    const retained = store.open();
    retained.keep(message("a", "x"));
    retained.flush();
    assert.equal(retained.page("#", undefined, 0).failed, true);
    assert.equal(store.failed, 1);
    Deno.mkdirSync(`${directory}/not_yet`);
    retained.keep(message("b", "x"));
    assert.deepEqual(all(retained, "#"), ["b"]);
    retained.close();
  });
  await Deno.remove(directory, { recursive: true });
});
