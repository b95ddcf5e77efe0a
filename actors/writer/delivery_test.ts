import assert from "node:assert/strict";
import fc from "fast-check";
import { Delivery } from "./delivery.ts";
import { Piece } from "./piece.ts";
import { recordOf, textOf } from "./testing/records.ts";

/** Writes into a store that refuses every batch with a line that holds `!`. */
function deliver(readings: string[][][], keepsRest: boolean) {
  const store = new Set<string>();
  const refusedLines: string[] = [];
  let stored = 0;
  let refused = 0;
  let writes = 0;
  const seen = new Set<string>();
  const delivery = new Delivery(readings.map((part) => new Piece(recordOf(part))), {
    stored: (_record, count) => stored += count,
    refusedLine: (line) => refusedLines.push(textOf([line]).trim()),
    refused: () => refused++,
  });
  for (let pieces; (pieces = delivery.next) !== undefined; writes++) {
    const text = textOf(pieces);
    assert.ok(!seen.has(text), "the same set is never written twice");
    if (text !== "") seen.add(text);
    const lines = text.split("\n").slice(0, -1);
    const bad = lines.some((line) => line.includes("!"));
    for (const line of lines) if (!bad || (keepsRest && !line.includes("!"))) store.add(line);
    if (bad) delivery.refused("store_rejected", "no");
    else delivery.stored();
  }
  return { store, refusedLines, stored, refused, writes };
}

Deno.test("every good line is stored, exactly the bad ones are given up, each reading counts once", () => {
  let serial = 0;
  const line = fc.boolean().map((bad) => `d:${serial++}${bad ? "!" : ""}`);
  const reading = fc.array(line, { minLength: 1, maxLength: 4 });
  const records = fc.array(fc.array(reading, { minLength: 1, maxLength: 9 }), { maxLength: 6 });
  fc.assert(fc.property(records, fc.boolean(), (readings, keepsRest) => {
    const { store, refusedLines, stored, refused } = deliver(readings, keepsRest);
    const all = readings.flat(2);
    assert.deepEqual([...store].sort(), all.filter((line) => !line.includes("!")).sort());
    assert.deepEqual(refusedLines.sort(), all.filter((line) => line.includes("!")).sort());
    const bad = readings.flat().filter((lines) => lines.some((line) => line.includes("!"))).length;
    assert.equal(refused, bad);
    assert.equal(stored, readings.flat().length - bad);
  }));
});

Deno.test("one bad reading of thousands is found in a few dozen writes", () => {
  const readings = Array.from({ length: 4_096 }, (_, i) => [`d:${i}${i === 1_234 ? "!" : ""}`]);
  const { writes, refused, stored } = deliver([readings], false);
  assert.deepEqual([refused, stored], [1, 4_095]);
  assert.ok(writes <= 2 * 12 + 1, `${writes} writes`);
});

Deno.test("what is too heavy is halved by readings only", () => {
  const delivery = new Delivery([new Piece(recordOf([["a:1", "a:2"], ["b:1"]]))], {
    stored() {},
    refusedLine() {},
    refused() {},
  });
  assert.equal(delivery.lighten(), true);
  assert.equal(textOf(delivery.next!), "a:1\na:2\n");
  assert.equal(delivery.lighten(), false);
  delivery.stored();
  assert.equal(textOf(delivery.next!), "b:1\n");
});
