import assert from "node:assert/strict";
import fc from "fast-check";
import { allocateFrame, frameHeaderBytes } from "./frame.ts";
import { parseSegmentName, segmentName } from "./segment.ts";
import { SegmentLog } from "./segment_log.ts";
import { MemoryFiles } from "./testing/memory_files.ts";

function frameOf(value: number, bytes = 40): Uint8Array<ArrayBuffer> {
  const frame = allocateFrame(bytes);
  new DataView(frame.buffer).setUint32(frameHeaderBytes, value, true);
  return frame;
}

function valueOf(frame: Uint8Array): number {
  return new DataView(frame.buffer, frame.byteOffset).getUint32(frameHeaderBytes, true);
}

async function open(files: MemoryFiles, segmentBytes = 250) {
  let salt = 1;
  const values: number[] = [];
  const sequences: number[] = [];
  const opened = await SegmentLog.open(
    { files, directory: "d", segmentBytes, now: () => 0, random32: () => salt++ * 7919 },
    (frame, sequence) => {
      values.push(valueOf(frame.bytes));
      sequences.push(sequence);
    },
  );
  return { ...opened, values, sequences };
}

Deno.test("segment names sort by number and say their salt", () => {
  assert.equal(segmentName(12, 0xab), "0000000012-000000ab.seg");
  assert.deepEqual(parseSegmentName("0000000012-000000ab.seg"), { number: 12, salt: 0xab });
  for (const name of ["checkpoint", "12-ab.seg", "0000000012-000000ab.seg.bak"]) {
    assert.equal(parseSegmentName(name), undefined);
  }
});

Deno.test("what was committed is read back in order over several segments", async () => {
  const files = new MemoryFiles();
  const { log } = await open(files);
  for (let i = 0; i < 10; i++) assert.equal(await log.commit(frameOf(i), 1, 2), i);
  assert.equal(log.segments.length, 3);
  log.close();
  const again = await open(files);
  assert.deepEqual(again.values, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual(again.sequences, again.values);
  assert.equal(again.report.items, 20);
  assert.equal(again.log.bytes, log.bytes);
  assert.equal(await again.log.commit(frameOf(10), 1, 2), 10);
  assert.equal(again.log.segments.length, 4);
});

Deno.test("corruption in the middle is counted by the items it cost", async () => {
  const files = new MemoryFiles();
  const { log } = await open(files, 10_000);
  for (let i = 0; i < 4; i++) await log.commit(frameOf(i), 1, 5);
  log.close();
  const [node] = [...files.nodes.values()];
  node!.bytes[100]! ^= 1;
  const { values, sequences, report } = await open(files);
  assert.deepEqual(values, [0, 2, 3]);
  assert.deepEqual(sequences, [0, 2, 3]);
  assert.equal(report.lostItems, 5);
  assert.equal(report.corruptBytes, 72);
});

Deno.test("a full disk leaves the log as it was, and the same frame fits later", async () => {
  const files = new MemoryFiles();
  files.capacityBytes = 100;
  files.writeBytesMax = 16;
  const { log } = await open(files);
  await log.commit(frameOf(1), 1, 1);
  const frame = frameOf(2);
  await assert.rejects(log.commit(frame, 1, 1), { code: "ENOSPC" });
  assert.equal(files.usedBytes, 72);
  files.capacityBytes = 1_000;
  assert.equal(await log.commit(frame, 1, 1), 1);
  assert.deepEqual((await open(files)).values, [1, 2]);
});

Deno.test("after a failed sync the frame goes to a new file, and the old one is not written", async () => {
  const files = new MemoryFiles();
  const { log } = await open(files);
  await log.commit(frameOf(1), 1, 1);
  let failures = 1;
  files.fault = (operation) => {
    if (operation === "sync" && failures-- > 0) throw new Error("EIO");
  };
  const frame = frameOf(2);
  await assert.rejects(log.commit(frame, 1, 1), /EIO/);
  await log.commit(frame, 1, 1);
  assert.deepEqual(log.segments.map(({ items }) => items), [1, 1]);
  const { values } = await open(files.crashed());
  assert.deepEqual(values, [1, 2]);
});

Deno.test("a directory that cannot be synced leaves no segment behind", async () => {
  const files = new MemoryFiles();
  const { log } = await open(files);
  files.fault = (operation) => {
    if (operation === "syncDirectory") throw new Error("EIO");
  };
  await assert.rejects(log.commit(frameOf(1), 1, 1), /EIO/);
  assert.equal(files.nodes.size, 0);
  assert.equal(files.openFiles, 0);
  assert.equal(log.segments.length, 0);
});

Deno.test("a crash at any byte, under any faults, keeps every committed record and invents none", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          bytes: fc.nat({ max: 120 }),
          fault: fc.option(fc.constantFrom("write", "sync", "truncate", "syncDirectory"), {
            freq: 3,
          }),
        }),
        { maxLength: 25 },
      ),
      fc.nat({ max: 400 }),
      fc.integer({ min: 1, max: 50 }),
      async (steps, tail, writeBytesMax) => {
        const files = new MemoryFiles();
        files.writeBytesMax = writeBytesMax;
        const { log } = await open(files, 200);
        const committed: number[] = [];
        const given = new Set<number>();
        for (const [value, step] of steps.entries()) {
          files.fault = (operation) => {
            if (operation === step.fault) throw new Error("EIO");
          };
          given.add(value);
          const done = await log.commit(frameOf(value, 8 + step.bytes), 1, 1).then(
            () => true,
            () => false,
          );
          if (done) committed.push(value);
        }
        files.fault = () => {};
        const after = files.crashed((_path, tailBytes) => Math.min(tail, tailBytes));
        const { values, report } = await open(after);
        assert.deepEqual(values.filter((value) => committed.includes(value)), committed);
        assert.ok(values.every((value) => given.has(value)));
        assert.equal(new Set(values).size, values.length);
        assert.equal(report.lostItems, 0);
        // What was cut off once is not found again.
        assert.equal((await open(after)).report.tornBytes, 0);
      },
    ),
    { numRuns: 300, seed: 11 },
  );
});
