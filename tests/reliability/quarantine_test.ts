/**
 * Devices whose code throws on every message, or never returns, beside healthy ones.
 *
 * @module
 */
import assert from "node:assert/strict";
import { startVictoriaMetrics } from "../../gateways/testing/servers.ts";
import { testWith } from "../../gateways/testing/programs.ts";
import { actors, deadLetters } from "../support/api.ts";
import { startFleet } from "../support/load_fleet.ts";
import { pause } from "../support/load_run.ts";
import { RawClient } from "../support/raw_mqtt.ts";
import {
  assertConserved,
  getText,
  settledBooks,
  startSluice,
  trapRoute,
} from "../support/sluice.ts";

const messages = 200;
const spins = 4;

testWith(
  ["victoria-metrics"],
  "devices that throw on every message, or spin, are quarantined, their readings are dead letters, the others go on",
  async () => {
    await using store = await startVictoriaMetrics();
    await using sluice = await startSluice({
      config: { influx: { url: store.url } },
      routes: [trapRoute],
    });
    await using load = await startFleet(sluice, {
      model: "bench",
      connections: 10,
      rate: 1_000,
      "duration-s": 5,
    });
    using client = await RawClient.connect(sluice.mqttPort);
    for (let i = 0; i < messages; i++) {
      assert.equal(await client.publish("trap/bad", "throw"), 0); // always acknowledged
      assert.equal(await client.publish("trap/good", String(i)), 0);
      if (i % 20 === 0) await pause(100);
      if (i % 50 === 0) assert.equal(await client.publish("trap/stuck", "spin"), 0);
    }
    await load.end();
    const books = await settledBooks(sluice.httpUrl);
    assertConserved(books);
    assert.equal(books.deadLettered, messages + spins);
    await load.verify("victoriametrics", store.url);

    const letters = await deadLetters(sluice.httpUrl);
    const stuck = letters.filter(({ topic }) => topic === "trap/stuck");
    assert.deepEqual(
      stuck.map(({ payload, reason }) => [payload, reason]),
      Array(spins).fill(["spin", "actor_crashed"]),
    );
    assert.match(stuck.at(-1)?.detail ?? "", /not run before the next start/);
    const bad = letters.filter(({ topic }) => topic === "trap/bad");
    assert.equal(bad.length, messages);
    for (const { reason, payload, detail } of bad) {
      assert.equal(payload, "throw");
      assert.match(reason, /^actor_(crashed|quarantined)$/);
      if (reason === "actor_crashed") assert.match(detail, /the trap throws/);
    }
    const nodes = await actors(sluice.httpUrl);
    const actor = nodes.find(({ path }) => path.endsWith("/devices/bad"));
    assert.equal(actor?.state, "quarantined");
    assert.match(actor.lastError ?? "", /the trap throws/);

    const quarantine = `${sluice.httpUrl}/api/quarantine`;
    const quarantined = async () => (await getText(`${quarantine}?prefix=ba`)).text;
    assert.match(await quarantined(), /"id":"bad",.*"quarantined":true/);
    const release = async (id: string): Promise<number> => {
      const answer = await fetch(`${quarantine}/${id}`, { method: "DELETE" });
      await answer.body?.cancel();
      return answer.status;
    };
    assert.equal(await release("bad"), 204);
    assert.deepEqual(JSON.parse(await quarantined()), { items: [] });
    assert.equal(await client.publish("trap/bad", "5"), 0);
    const released = await settledBooks(sluice.httpUrl);
    assert.deepEqual([released.stored, released.deadLettered], [
      books.stored + 1,
      books.deadLettered,
    ]);
    assert.deepEqual([await release("bad"), await release("nobody")], [409, 404]);

    const good = nodes.find(({ path }) => path.endsWith("/devices/good"));
    assert.equal(good?.state, "running");
    assert.equal(books.stored, Number((await load.end()).acknowledged) + messages);
  },
);
