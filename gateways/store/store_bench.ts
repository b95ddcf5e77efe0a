/**
 * How fast the embedded store takes readings, each batch synced to the disk before the next, and
 * how fast it answers. Per reading: divide by the 10,000 of a batch.
 *
 * Measured on 2 shared cores, Deno 2.9.6: four fields in one line 150 to 250 k readings/s (0.6 to
 * 1 M points/s) with 100 devices, 60 to 160 k readings/s with 100,000; four lines of one field 60 to
 * 75 k readings/s (240 to 300 k points/s).
 *
 * @module
 */
import type { PointBatch } from "../../actors/sink.ts";
import { systemClock } from "../../runtime/clock.ts";
import { packBatches, unpackBatches } from "./point_frame.ts";
import { PointWriter } from "./point_writer.ts";
import { ReadingsReader } from "./readings_reader.ts";
import { openForWriting } from "./store_database.ts";
import { batchOf, type ReadingLines } from "./testing/batches.ts";

const count = 10_000;
const startMs = 1_700_000_000_000;

/** One line of four fields, or four lines of one, as the device and the station route write. */
const shapes = {
  "4 fields": (id: string, time: string, i: number) =>
    `bench,device=${id} temperature=${
      20 + (i % 999) / 100
    },humidity=45.67,seq=${i},battery=3.3 ${time}\n`,
  "4 lines": (id: string, time: string, i: number) =>
    ["TMP", "HUMID", "BAT", "RSSI"].map((metric) =>
      `${id}.${metric},location=UPB,station=${id} value=${20 + (i % 999) / 100} ${time}\n`
    ).join(""),
};

function batchFrom(first: number, devices: number, lines: typeof shapes["4 fields"]): PointBatch {
  return batchOf(Array.from({ length: count }, (_, n): ReadingLines => {
    const i = first + n;
    // A step that is prime to the number of devices: no batch finds them in order.
    const id = `dev${(i * 7919) % devices}`;
    return [id, lines(id, `${startMs + i}000000`, i)];
  }));
}

const dir = Deno.makeTempDirSync({ prefix: "sluice_bench_" });
addEventListener("unload", () => Deno.removeSync(dir, { recursive: true }));

for (const devices of [100, 100_000]) {
  for (const [shape, lines] of Object.entries(shapes)) {
    const database = openForWriting(`${dir}/${devices}_${shape}.db`);
    const writer = new PointWriter(database);
    let next = 0;
    const write = () => {
      const batch = batchFrom(next, devices, lines);
      next += count;
      return writer.write([batch]);
    };
    while (next < devices * 2) write(); // Every series is known, as it is after the first minute.
    Deno.bench({
      name: `10,000 readings of ${devices} devices, ${shape}`,
      group: "write",
      n: 10,
      fn(bench) {
        const batch = batchFrom(next, devices, lines);
        next += count;
        bench.start();
        const result = writer.write([batch]);
        bench.end();
        if (result.kind !== "stored") throw new Error(result.reason);
      },
    });
    if (devices === 100 && shape === "4 fields") {
      benchReads(new ReadingsReader(database, systemClock));
    }
  }
}

function benchReads(reader: ReadingsReader): void {
  const read = (query: string) => {
    const answer = reader.read(new Map(new URLSearchParams(query)));
    if (answer.kind !== "page" || answer.page.items.length === 0) throw new Error("nothing read");
  };
  Deno.bench("1,000 values of a device", { group: "read" }, () => read("device=dev7&limit=1000"));
  Deno.bench("mean per 10 s", { group: "read" }, () => read("device=dev7&every=10s&limit=1000"));
}

const batch = batchFrom(0, 100, shapes["4 fields"]);
Deno.bench("pack and unpack 10,000 readings", { group: "frame" }, () => {
  unpackBatches(packBatches([batch]));
});
