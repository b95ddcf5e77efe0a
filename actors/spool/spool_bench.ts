/**
 * What the durable path costs beside the disk: adding a reading to a group, sealing the group, and
 * reading records back. Run: `deno bench --allow-read --allow-write actors/spool/spool_bench.ts`.
 *
 * @module
 */
import { systemClock } from "../../runtime/clock.ts";
import { SteadyTime } from "../../runtime/steady_time.ts";
import { diskFiles } from "../segment_log/disk_files.ts";
import { CommitGroup } from "./commit_group.ts";
import { sealGroup, SpoolRecord } from "./record.ts";
import { Spool } from "./spool.ts";

const readings = 4_000;
const line = new TextEncoder().encode(
  "bench,device=d123 temperature=23.45,humidity=45.67,seq=1000123,v=1.5 1700000000123000000\n",
);

function deviceKeys(count: number): { id: string; groupNo: number; slot: number }[] {
  return Array.from({ length: count }, (_, i) => ({ id: `bench/d${i}`, groupNo: 0, slot: 0 }));
}

function fill(group: CommitGroup, devices: ReturnType<typeof deviceKeys>): void {
  for (let i = 0; i < readings; i++) {
    group.lines.append(line);
    group.add(devices[i % devices.length]!, i, i);
  }
}

for (const count of [100, readings]) {
  const group = new CommitGroup();
  const devices = deviceKeys(count);
  Deno.bench(`gather and seal ${readings} readings of ${count} devices`, () => {
    fill(group, devices);
    sealGroup(group, 0);
  });
}

{
  const group = new CommitGroup();
  fill(group, deviceKeys(100));
  const { frame, count } = sealGroup(group, 0);
  Deno.bench(`read a record of ${readings} readings back, devices too`, () => {
    new SpoolRecord(frame, count).devices.length;
  });
}

for (const size of [1, 100, readings]) {
  Deno.bench(`commit ${size} readings to the disk`, async (bench) => {
    const directory = await Deno.makeTempDir();
    const { spool } = await Spool.open({
      files: diskFiles,
      clock: systemClock,
      time: new SteadyTime(systemClock),
      directory,
      bytesMax: 1e9,
      keepMs: 0,
      random32: () => 1,
      live: () => true,
      events: {
        committed() {},
        lost() {},
        stalled() {},
        resumed() {},
        trouble() {},
      },
    }, () => {});
    const devices = deviceKeys(100);
    for (let i = 0; i < size; i++) {
      spool.group.lines.append(line);
      spool.group.add(devices[i % 100]!, i, i);
    }
    bench.start();
    await spool.begin();
    spool.end();
    bench.end();
    spool.close();
    await Deno.remove(directory, { recursive: true });
  });
}
