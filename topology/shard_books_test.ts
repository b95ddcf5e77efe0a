import assert from "node:assert/strict";
import fc from "fast-check";
import { emptySnapshot } from "../actors/empty_snapshot.ts";
import { Ledger } from "../actors/ledger.ts";
import type { ShardSnapshot } from "../actors/snapshot.ts";
import { ShardBooks } from "./shard_books.ts";

function snapshotOf(ledger: Ledger): ShardSnapshot {
  const { inFlight, spool, stored, duplicate, received } = ledger.books();
  return {
    ...emptySnapshot(0),
    received,
    settled: { stored, duplicate, ...ledger.reasons() },
    inFlight,
    spoolReadings: spool,
    counters: { sluice_store_writes_total: 1 },
  };
}

const sum = (counts: Readonly<Record<string, number | undefined>>): number =>
  Object.values(counts).reduce<number>((total, n) => total + (n ?? 0), 0);

function imbalanceOf(s: ShardSnapshot): number {
  const { stored, duplicate, deadLettered, refused } = s.settled;
  return sum(s.received) - stored - duplicate - sum(deadLettered) - sum(refused) - s.inFlight -
    s.spoolReadings;
}

Deno.test("over any number of deaths the law holds and no counter goes back", () => {
  const life = fc.record({
    received: fc.nat({ max: 50 }),
    spooled: fc.nat({ max: 50 }),
    stored: fc.nat({ max: 50 }),
    dead: fc.nat({ max: 5 }),
    /** Entries made after the last snapshot, which only the shared memory knows. */
    unseen: fc.nat({ max: 10 }),
    /** Readings on the disk beyond, or short of, what the books say. */
    drift: fc.integer({ min: -5, max: 5 }),
    /** Nobody asks for a snapshot in this life. */
    unasked: fc.boolean(),
  });
  fc.assert(fc.property(fc.array(life, { minLength: 1, maxLength: 6 }), (lives) => {
    const books = new ShardBooks();
    let onDisk = 0;
    let before = { received: 0, stored: 0 };
    for (
      const [i, { received, spooled, stored, dead, unseen, drift, unasked }] of lives.entries()
    ) {
      books.freeze();
      const ledger = new Ledger(books.memory);
      if (i === 0) ledger.recovered(onDisk);
      else ledger.adopted(onDisk);
      books.reopened(onDisk);
      for (let n = 0; n < received; n++) ledger.received(0);
      for (let n = 0; n < Math.min(dead, received); n++) ledger.deadLettered("bad_json");
      ledger.spooled(Math.min(spooled, ledger.inFlight));
      ledger.stored(Math.min(stored, ledger.books().spool));
      if (!unasked) {
        const seen = books.take(snapshotOf(ledger));
        assert.equal(imbalanceOf(seen), 0);
        const now = { received: sum(seen.received), stored: seen.settled.stored };
        assert.ok(now.received >= before.received && now.stored >= before.stored);
        before = now;
      }
      for (let n = 0; n < unseen; n++) ledger.received(0);
      books.died();
      onDisk = Math.max(
        0,
        Math.min(ledger.books().spool + drift, ledger.books().spool + ledger.inFlight),
      );
    }
    books.freeze();
    const ledger = new Ledger(books.memory);
    ledger.adopted(onDisk);
    books.reopened(onDisk);
    assert.equal(imbalanceOf(books.take(snapshotOf(ledger))), 0);
  }));
});

Deno.test("a successor that dies before it said what it found does not spoil the books", () => {
  for (const found of ["nothing yet", "its spool", "its spool, and it counted on"] as const) {
    const books = new ShardBooks();
    const first = new Ledger(books.memory);
    for (let i = 0; i < 10; i++) first.received(0);
    first.spooled(10);
    first.stored(6);
    books.take(snapshotOf(first));
    books.died();
    books.freeze();
    const second = new Ledger(books.memory);
    if (found !== "nothing yet") second.adopted(4);
    if (found === "its spool, and it counted on") {
      for (let i = 0; i < 3; i++) second.received(0);
      second.spooled(2);
      second.stored(1);
    }
    books.died();
    books.freeze();
    const third = new Ledger(books.memory);
    const left = found === "its spool, and it counted on" ? 5 : 4;
    third.adopted(left);
    books.reopened(left);
    const snapshot = books.take(snapshotOf(third));
    assert.equal(imbalanceOf(snapshot), 0, found);
    assert.equal(snapshot.received["mqtt"], left === 5 ? 13 : 10, found);
    assert.equal(snapshot.settled.stored, left === 5 ? 7 : 6, found);
  }
});

Deno.test("a successor that is asked before its predecessor's books are closed changes nothing in them", () => {
  const books = new ShardBooks();
  const first = new Ledger(books.memory);
  for (let i = 0; i < 10; i++) first.received(0);
  first.deadLettered("bad_json");
  first.spooled(9);
  first.stored(6);
  books.take(snapshotOf(first));
  books.died();
  books.freeze();
  const second = new Ledger(books.memory);
  second.adopted(3);
  for (let i = 0; i < 5; i++) second.received(0);
  const early = books.take({ ...snapshotOf(second), notReady: ["busy"] });
  assert.deepEqual([sum(early.received), early.settled.stored, early.notReady], [10, 6, ["busy"]]);
  books.reopened(3);
  const late = books.take(snapshotOf(second));
  assert.equal(imbalanceOf(late), 0);
  assert.deepEqual(
    [sum(late.received), late.settled.deadLettered, late.counters.sluice_store_writes_total],
    [15, { bad_json: 1 }, 2],
  );
});
