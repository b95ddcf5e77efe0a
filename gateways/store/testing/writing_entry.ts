/**
 * A process that the test of kill -9 kills: writes a point after the other into the store that is
 * named on its command line, and says the number of each when it is on the disk.
 *
 * @module
 */
import { PointWriter } from "../point_writer.ts";
import { openForWriting } from "../store_database.ts";
import { batchOf } from "./batches.ts";

const [path = "", first = "0"] = Deno.args;
const writer = new PointWriter(openForWriting(path));
const utf8 = new TextEncoder();
for (let i = Number(first);; i++) {
  const result = writer.write([batchOf([[`d${i % 7}`, `m${i % 3} v=${i} ${i}\n`]])]);
  if (result.kind !== "stored") throw new Error(result.reason);
  Deno.stdout.writeSync(utf8.encode(`${i}\n`));
}
