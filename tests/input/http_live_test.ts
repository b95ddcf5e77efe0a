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

Deno.test("viewers that read nothing slow nobody, and a shutdown ends all of them", async () => {
  await using sluice = await startSluice({ config: { shards: 2 } });
  const { hostname, port } = new URL(sluice.httpUrl);
  const idle = await Promise.all(Array.from({ length: 100 }, async () => {
    const connection = await Deno.connect({ hostname, port: Number(port) });
    const request = "GET /api/live?every=200ms HTTP/1.1\r\nhost: x\r\n\r\n";
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
