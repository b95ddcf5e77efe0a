import assert from "node:assert/strict";
import fc from "fast-check";
import { BufferBudget, ReadBuffer, restBytes, speedBytesMax } from "./read_buffer.ts";

function fill(buffer: ReadBuffer, missingBytes = 0): void {
  const room = buffer.room(missingBytes);
  assert.ok(room);
  buffer.filled(room.length, false);
}

Deno.test("grows while reads fill it, up to the size that is for speed", () => {
  const budget = new BufferBudget(1 << 20);
  const buffer = new ReadBuffer(budget);
  const sizes: number[] = [];
  for (let i = 0; i < 5; i++) {
    fill(buffer);
    sizes.push(buffer.bytes.length);
    buffer.start = buffer.end;
  }
  assert.deepEqual(sizes, [512, 4_096, 32_768, speedBytesMax, speedBytesMax]);
  assert.equal(budget.usedBytes, speedBytesMax);
  buffer.release();
  assert.equal(budget.usedBytes, 0);
});

Deno.test("falls back after a row of small reads, and after one that was waited for long", () => {
  for (const [reads, quiet] of [[16, false], [1, true]] as const) {
    const budget = new BufferBudget(1 << 20);
    const buffer = new ReadBuffer(budget);
    fill(buffer);
    buffer.start = buffer.end;
    for (let i = 0; i < reads; i++) {
      buffer.room(0);
      assert.equal(buffer.bytes.length, 4_096);
      buffer.filled(100, quiet);
      buffer.start = buffer.end;
    }
    assert.equal(buffer.room(0)?.length, restBytes);
    assert.equal(budget.usedBytes, 0);
  }
});

Deno.test("makes room for a large packet, but not beyond the budget", () => {
  const budget = new BufferBudget(200_000);
  const buffer = new ReadBuffer(budget);
  fill(buffer);
  assert.ok(buffer.room(150_000 - restBytes));
  assert.equal(buffer.bytes.length, 150_000);
  const other = new ReadBuffer(budget);
  fill(other);
  assert.equal(other.room(60_000), undefined);
  assert.equal(other.end, restBytes);
  buffer.release();
  assert.ok(other.room(60_000));
});

Deno.test("a spent budget costs speed, not progress", () => {
  const buffer = new ReadBuffer(new BufferBudget(0));
  for (let i = 0; i < 3; i++) {
    fill(buffer);
    buffer.start = buffer.end;
  }
  assert.equal(buffer.room(0)?.length, restBytes);
});

Deno.test("hands on exactly the bytes that came, whatever is consumed when", () => {
  const steps = fc.array(
    fc.record({
      read: fc.double({ min: 0, max: 1, noNaN: true }),
      consume: fc.double({ min: 0, max: 1, noNaN: true }),
      missing: fc.nat(3_000),
      quiet: fc.boolean(),
    }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(steps, fc.integer({ min: 5_000, max: 200_000 }), (list, bytesMax) => {
      const budget = new BufferBudget(bytesMax);
      const buffer = new ReadBuffer(budget);
      let written = 0;
      let taken = 0;
      for (const { read, consume, missing, quiet } of list) {
        const room = buffer.room(buffer.end > buffer.start ? missing : 0);
        if (room !== undefined) {
          const count = Math.ceil(read * room.length);
          for (let i = 0; i < count; i++) room[i] = (written++) & 0xff;
          buffer.filled(count, quiet);
        }
        const count = Math.floor(consume * (buffer.end - buffer.start));
        for (let i = 0; i < count; i++) {
          assert.equal(buffer.bytes[buffer.start++], (taken++) & 0xff);
        }
        assert.equal(buffer.end - buffer.start, written - taken);
        const grown = buffer.bytes.length > restBytes ? buffer.bytes.length : 0;
        assert.equal(budget.usedBytes, grown);
        assert.ok(grown <= bytesMax);
      }
    }),
    { numRuns: 300, seed: 5 },
  );
});

Deno.test("a buffer is used again only when it is said that nobody uses it", () => {
  const budget = new BufferBudget(1 << 20);
  const reading = new ReadBuffer(budget);
  const room = reading.room(0);
  reading.release();
  assert.notEqual(new ReadBuffer(budget).bytes, room);
  const unused = new ReadBuffer(budget);
  const spare = unused.bytes;
  unused.release(true);
  assert.equal(new ReadBuffer(budget).bytes, spare);
});
