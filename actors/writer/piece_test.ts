import assert from "node:assert/strict";
import fc from "fast-check";
import { recordOf, textOf } from "./testing/records.ts";
import { halve, Piece } from "./piece.ts";

Deno.test("a piece is the batch of its readings", () => {
  const record = recordOf([["a", "b"], ["c"], [], ["d"]]);
  const piece = new Piece(record, 1, 4);
  assert.equal(textOf([piece]), "c\nd\n");
  assert.deepEqual([...piece.lineEnds], [2, 2, 4]);
  assert.equal(piece.count, 3);
  assert.equal(piece.bytes, 4);
  assert.deepEqual([...piece.deviceOf], [...record.deviceOf].slice(1));
  assert.equal(textOf([new Piece(record)]), "a\nb\nc\nd\n");
});

Deno.test("halving ends at single lines and loses none", () => {
  const reading = fc.array(fc.stringMatching(/^[a-z]{1,9}$/), { maxLength: 5 });
  fc.assert(
    fc.property(fc.array(fc.array(reading, { minLength: 1 }), { minLength: 1 }), (parts) => {
      const records = parts.map((readings) => recordOf(readings));
      const stack: (readonly Piece[])[] = [records.map((record) => new Piece(record))];
      let text = "";
      for (let pieces; (pieces = stack.pop()) !== undefined;) {
        const halves = halve(pieces);
        if (halves !== undefined) {
          assert.ok(halves[0].length > 0 && halves[1].length > 0);
          stack.push(halves[1], halves[0]);
          continue;
        }
        assert.equal(pieces.length, 1);
        assert.ok(textOf(pieces).split("\n").length <= 2);
        text += textOf(pieces);
      }
      assert.equal(text, parts.flat(2).map((line) => `${line}\n`).join(""));
    }),
  );
});
