import assert from "node:assert/strict";
import { ManualClock } from "../testing/manual_clock.ts";
import { Access } from "./access.ts";
import { StationQueue } from "./queue.ts";
import { Uplink, type UplinkEvents } from "./uplink.ts";

const url = "ws://home.example/ws";

/** What a station is told when each of its connections ends as `ends` says. */
async function troubles(
  access: Access,
  ends: readonly ((events: UplinkEvents) => void)[],
): Promise<string[]> {
  const directory = await Deno.makeTempDir();
  const queue = StationQueue.open(`${directory}/queue`);
  const clock = new ManualClock();
  const stop = new AbortController();
  const told: string[] = [];
  let connection = 0;
  const uplink = new Uplink({
    connect: (_, events) => {
      const end = ends[connection++];
      if (end === undefined) stop.abort();
      else queueMicrotask(() => end(events));
      return { send: () => {}, close: () => {} };
    },
    queue,
    station: "UPB/RPi_1",
    access,
    topic: "UPB/RPi_1",
    backlogRate: 200,
    clock,
    trouble: (why) => told.push(why),
  });
  await clock.drive(uplink.run(stop.signal));
  queue.close();
  await Deno.remove(directory, { recursive: true });
  return told;
}

const refused = ({ closed }: UplinkEvents) => closed(1006);
const unauthorized = ({ closed }: UplinkEvents) => closed(4401);
const cut = ({ opened, message, closed }: UplinkEvents) => {
  opened();
  message('{"type":"welcome","credit":256}');
  closed(1001);
};

Deno.test("a station says why it has no connection, once while that goes on", async () => {
  assert.deepEqual(await troubles(new Access({ url }), [refused, refused, cut, refused, refused]), [
    `cannot connect to ${url}`,
    `the connection to ${url} has ended (1001)`,
    `cannot connect to ${url}`,
  ]);
  assert.deepEqual(await troubles(new Access({ url }), [unauthorized, unauthorized]), [
    `${url} asks for a token`,
  ]);
  assert.deepEqual(await troubles(new Access({ url, token: "old" }), [unauthorized]), [
    `${url} does not take the token`,
  ]);
});
