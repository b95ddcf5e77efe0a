/**
 * The live view over HTTP, as a browser's EventSource uses it.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Viewer } from "../support/viewer.ts";
import {
  assertConserved,
  settledBooks,
  type Sluice,
  startSluice,
  until,
} from "../support/sluice.ts";

async function send({ httpUrl }: Sluice, items: readonly unknown[]): Promise<void> {
  const answer = await fetch(`${httpUrl}/api/readings`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(items),
  });
  await answer.body?.cancel();
  assert.equal(answer.status, 204);
}

const car = (n: number, lat: number) => ({ fleet: "f", vehicle: `v${n}`, lat, lon: 26 });

Deno.test("viewers see devices of all shards, their latest state, and go on where they were", async () => {
  await using sluice = await startSluice({
    config: { shards: 2, device: { silentAfterMs: 1_500 } },
  });
  const url = `${sluice.httpUrl}/api/live?every=200ms`;
  await send(sluice, Array.from({ length: 20 }, (_, i) => car(i, 40)));
  await using map = new Viewer(`${url}&format=geojson`);
  await using one = new Viewer(`${url}&device=f~v3&metric=lat`);
  await until("all cars", () => new Set(map.events.map(({ data }) => data["id"])).size === 21);
  const tally = () => map.events.findLast(({ name }) => name === "tally")?.data;
  await until("the tally", () => tally()?.["devices"] === 20);
  await send(sluice, [car(3, 41)]);
  await until(
    "the move",
    () => one.events.some(({ data }) => JSON.stringify(data).includes('{"lat":41}')),
  );
  assert.ok(one.events.every(({ name, data }) => name === "tally" || data["device"] === "f~v3"));
  await until("silence", () => one.events.at(-1)?.data["presence"] === "silent");

  // Away while one car moved: the next stream begins with that one, not with all.
  await until(
    "quiet",
    () => map.events.filter(({ data }) => JSON.stringify(data).includes('"silent"')).length >= 20,
  );
  await new Promise((done) => setTimeout(done, 2_500));
  await using follower = new Viewer(`${url}&device=f~v5`);
  await until("its id", () => follower.lastId !== "");
  const id = follower.lastId;
  await follower[Symbol.asyncDispose]();
  await new Promise((done) => setTimeout(done, 1_500));
  await send(sluice, [car(5, 42)]);
  await using back = new Viewer(url, { "last-event-id": id });
  await until("the car that moved", () => back.events.length > 0);
  assert.deepEqual(
    back.events.filter(({ name }) => name === "reading").map(({ data }) => data["device"]),
    ["f~v5"],
  );
  assertConserved(await settledBooks(sluice.httpUrl));
});

/** What a client can make of the ids it knows, to compare it with the tally. */
function ownTally(ids: Iterable<string>): { devices: number; checksum: string } {
  let devices = 0;
  let checksum = 0;
  for (const id of ids) {
    let hash = 0x811c9dc5;
    for (const byte of new TextEncoder().encode(id)) hash = Math.imul(hash ^ byte, 0x01000193);
    checksum ^= hash;
    devices++;
  }
  return { devices, checksum: (checksum >>> 0).toString(16).padStart(8, "0") };
}

Deno.test("a phone that asks for few updates gets the latest place, and can count its vehicles", async () => {
  await using sluice = await startSluice({ config: { shards: 2 } });
  const url = `${sluice.httpUrl}/api/live?format=geojson`;
  await send(sluice, Array.from({ length: 30 }, (_, i) => car(i, 40)));
  await send(sluice, [{ uuid: "no place", value: 1 }]);
  await using phone = new Viewer(`${url}&every=3s`);
  await using desk = new Viewer(`${url}&every=200ms`);
  const known = ({ events }: Viewer) =>
    new Set(events.filter(({ name }) => name === "feature").map(({ data }) => String(data["id"])));
  const tallyOf = ({ events }: Viewer) => events.findLast(({ name }) => name === "tally")?.data;
  await until("the tally", () => tallyOf(phone) !== undefined && tallyOf(desk) !== undefined);
  assert.deepEqual(tallyOf(phone), ownTally(known(phone)));
  assert.equal(tallyOf(phone)?.["devices"], 30);

  const latitudes = ({ events }: Viewer): unknown[] =>
    events.filter(({ data }) => data["id"] === "f~v3").map(({ data }) => {
      const { type, coordinates } = Object(data["geometry"]);
      assert.deepEqual([data["type"], type, coordinates[0]], ["Feature", "Point", 26]);
      return coordinates[1];
    });
  const startMs = performance.now();
  for (let lat = 41; lat <= 60; lat++) await send(sluice, [car(3, lat)]);
  await until("the last place", () => [phone, desk].every((one) => latitudes(one).at(-1) === 60));
  // The places it passed while no update was due are not told: none of 20 waits in a queue.
  const due = (performance.now() - startMs) / 3_000;
  assert.ok(latitudes(phone).length <= 3 + due, latitudes(phone).join(" "));

  // Away while others came: what it knew and what it hears now are all there are.
  const before = known(phone);
  const id = phone.lastId;
  await phone[Symbol.asyncDispose]();
  await send(sluice, [car(100, 1), car(101, 2)]);
  await using back = new Viewer(url, { "last-event-id": id });
  await until("the tally", () => tallyOf(back) !== undefined);
  assert.deepEqual(tallyOf(back), ownTally(before.union(known(back))));
});

Deno.test("viewers that read nothing slow nobody, and a shutdown ends all of them", async () => {
  await using sluice = await startSluice({ config: { shards: 2 } });
  const { hostname, port } = new URL(sluice.httpUrl);
  const idle = await Promise.all(Array.from({ length: 100 }, async () => {
    const connection = await Deno.connect({ hostname, port: Number(port) });
    const request = "GET /api/live?every=200ms HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n";
    await connection.write(new TextEncoder().encode(request));
    return connection;
  }));
  for (let round = 0; round < 10; round++) {
    await send(sluice, Array.from({ length: 500 }, (_, i) => car(i, round)));
  }
  assertConserved(await settledBooks(sluice.httpUrl));
  assert.equal(await sluice.process.stop(), 0);
  for (const connection of idle) connection.close();
});
