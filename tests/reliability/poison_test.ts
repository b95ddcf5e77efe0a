/**
 * Payloads that can never be stored, among good ones.
 *
 * @module
 */
import assert from "node:assert/strict";
import { startVictoriaMetrics } from "../../gateways/testing/servers.ts";
import { testWith } from "../../gateways/testing/programs.ts";
import { deadLetters, replayDeadLetters } from "../support/api.ts";
import { startFleet } from "../support/load_fleet.ts";
import { assertConserved, settledBooks, startSluice } from "../support/sluice.ts";

const poison = 10_000;

testWith(
  ["victoria-metrics"],
  "10,000 poison payloads among good ones cost the good ones nothing, and none is silent",
  async () => {
    await using store = await startVictoriaMetrics();
    await using sluice = await startSluice({ config: { influx: { url: store.url } } });
    await using load = await startFleet(sluice, {
      model: "bench",
      connections: 8,
      count: poison * 3,
      "poison-every": 3,
      window: 100,
      "duration-s": 60,
    });
    await load.end();
    const after = await settledBooks(sluice.httpUrl);
    assertConserved(after);
    assert.deepEqual([after.stored, after.deadLettered], [poison * 2, poison]);
    await load.verify("victoriametrics", store.url);

    const letters = await deadLetters(sluice.httpUrl);
    assert.equal(letters.length, poison);
    assert.equal(new Set(letters.map(({ id }) => id)).size, poison);
    for (const { topic, reason } of letters) {
      assert.match(topic, /^bench\/bench_(qos1|qos2|websocket|http)_\d$/);
      assert.notEqual(reason, "");
    }

    // Tried again they fail again: still there, each once, and booked.
    const ids = letters.slice(0, 100).map(({ id }) => id);
    assert.equal(await replayDeadLetters(sluice.httpUrl, { ids }), 100);
    const again = await settledBooks(sluice.httpUrl);
    assertConserved(again);
    assert.equal(again.received, after.received + 100);
    assert.equal((await deadLetters(sluice.httpUrl)).length, poison);

    // A restart keeps them.
    assert.equal(await sluice.process.stop(), 0);
    await sluice.process.restart();
    assert.equal((await deadLetters(sluice.httpUrl)).length, poison);
  },
);
