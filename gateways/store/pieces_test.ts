import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { type JoinedFrame, PieceJoiner, PieceSender } from "./pieces.ts";

Deno.test("frames of any size arrive whole and in order, however the credit comes", () => {
  const size = fc.oneof(fc.integer({ min: 1, max: 2_000 }), fc.nat(1_500_000).map((n) => n + 1));
  fc.assert(
    fc.property(
      fc.array(size, { maxLength: 4 }),
      fc.integer({ min: 1, max: 3 }),
      (sizes, credit) => {
        const joiner = new PieceJoiner();
        const arrived: JoinedFrame[] = [];
        let left = 0;
        const sender = new PieceSender((piece) => {
          if (left === 0) return "full";
          left--;
          const whole = joiner.add(new Uint8Array(piece));
          if (whole !== undefined) arrived.push(whole);
          return "accepted";
        });
        const frames = sizes.map((size, id) => {
          const frame = new Uint8Array(size).map((_, i) => (i + id) & 0xff);
          sender.send(id, frame.buffer);
          return { id, frame: frame.buffer };
        });
        for (let turn = 0; turn < 20; turn++) {
          left = credit;
          sender.resume();
        }
        assert.equal(arrived.length, frames.length);
        for (const [i, { id, frame }] of frames.entries()) {
          assert.equal(arrived[i]!.id, id);
          assert.ok(Buffer.from(arrived[i]!.frame).equals(new Uint8Array(frame)));
        }
      },
    ),
    { numRuns: 30 },
  );
});

Deno.test("a piece that does not follow is refused", () => {
  const pieces: Uint8Array[] = [];
  const sender = new PieceSender((piece) => (pieces.push(new Uint8Array(piece)), "accepted"));
  sender.send(1, new ArrayBuffer(1_500_000));
  assert.equal(pieces.length, 3);
  const [first, second, third] = pieces;
  const joiner = new PieceJoiner();
  assert.throws(() => joiner.add(second!), RangeError);
  assert.throws(() => new PieceJoiner().add(new Uint8Array(12)), RangeError);
  const other = new PieceJoiner();
  assert.equal(other.add(first!), undefined);
  assert.throws(() => other.add(third!), /out of place/);
  assert.throws(() => other.add(first!), /out of place/);
});
