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
  nowMs: number;
  refused: number;
  failed: number;
  open(): Retained;
}

async function withStore(
  options: Partial<RetainedOptions>,
  run: (store: Store) => void,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  const store: Store = {
    nowMs: 1_000,
    refused: 0,
    failed: 0,
    open: () =>
      new Retained({
        file: `${directory}/retained.db`,
        countMax: 10_000,
        bytesMax: 1 << 20,
        now: () => store.nowMs,
        refused: (count) => store.refused += count,
        failed: (_cause, count) => store.failed += count,
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
    assert.deepEqual(all(retained, "#"), []);
    assert.equal(store.failed, 1);
    Deno.mkdirSync(`${directory}/not_yet`);
    retained.keep(message("b", "x"));
    assert.deepEqual(all(retained, "#"), ["b"]);
    retained.close();
  });
  await Deno.remove(directory, { recursive: true });
});
