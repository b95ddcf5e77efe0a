import assert from "node:assert/strict";
import { LineWriter } from "./line_writer.ts";

/** A disk with room for so many bytes. */
class Disk {
  text = "";
  room = Infinity;

  readonly put = (bytes: Uint8Array): number => {
    if (this.room === 0) throw new Deno.errors.WriteZero("no space left");
    const taken = bytes.subarray(0, this.room);
    this.room -= taken.length;
    this.text += new TextDecoder().decode(taken);
    return taken.length;
  };
}

Deno.test("lines that cannot be written are counted, and told of once", () => {
  const disk = new Disk();
  const lines = new LineWriter(disk.put);
  lines.write("a\n");
  disk.room = 0;
  lines.write("b\n");
  lines.write("c\nd\n");
  assert.deepEqual(lines.counters(), { sluice_log_lines_lost_total: 3 });
  disk.room = Infinity;
  lines.write("e\n");
  lines.write("f\n");
  assert.equal(disk.text, "a\n3 lines could not be written here\ne\nf\n");
  assert.deepEqual(lines.counters(), { sluice_log_lines_lost_total: 3 });
});

Deno.test("what comes after a line that was cut off begins a line of its own", () => {
  const disk = new Disk();
  const lines = new LineWriter(disk.put);
  disk.room = 3;
  lines.write("first\n");
  disk.room = 8; // Nor does all of what tells of it find room.
  lines.write("second\n");
  disk.room = Infinity;
  lines.write("third\n");
  assert.equal(disk.text, "fir\n1 lines\n2 lines could not be written here\nthird\n");
});
