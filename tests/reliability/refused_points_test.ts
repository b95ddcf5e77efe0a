/**
 * Points that only the store refuses, in the midst of good ones.
 *
 * @module
 */
import assert from "node:assert/strict";
import { startInfluxd } from "../../gateways/testing/servers.ts";
import { testWith } from "../../gateways/testing/programs.ts";
import { deadLetters, replayDeadLetters } from "../support/api.ts";
import { influxQuery, influxWrite } from "../support/influxdb.ts";
import { startLoad } from "../support/load_run.ts";
import { RawClient } from "../support/raw_mqtt.ts";
import { assertConserved, settledBooks, startSluice, until } from "../support/sluice.ts";

const good = 300;
const bad = 50;
const mixRoute = {
  name: "mix",
  topic: "mix/{device}",
  measurement: "mix",
  tags: { device: "{device}" },
};

testWith(
  ["influxd"],
  "points with a field of another type than InfluxDB's become dead letters, the others are stored once",
  async () => {
    await using store = await startInfluxd();
    await influxQuery(store.url, "CREATE DATABASE sluice");
    await influxWrite(store.url, 'mix,device=first odd="a text"');
    const stored = async (): Promise<number> => {
      const answer = await influxQuery(store.url, "SELECT COUNT(value) FROM mix");
      return Number(/,(\d+)\]\]/.exec(answer)?.[1] ?? 0);
    };
    await using sluice = await startSluice({
      config: { influx: { url: store.url } },
      routes: [mixRoute],
    });
    await using load = await startLoad(sluice.mqttUrl, {
      model: "bench",
      connections: 10,
      rate: 2_000,
      "duration-s": 6,
    });
    using client = await RawClient.connect(sluice.mqttPort);
    for (let i = 0; i < good; i++) {
      await client.publish(`mix/d${i % 10}`, `{"value":${i}}`);
      if (i % (good / bad) === 0) await client.publish(`mix/d${i % 10}`, `{"value":-1,"odd":1}`);
    }
    await load.end();
    const books = await settledBooks(sluice.httpUrl);
    assertConserved(books);
    assert.equal(books.deadLettered, bad);
    await load.verify("influxdb", store.url);
    assert.equal(await stored(), good);

    const letters = await deadLetters(sluice.httpUrl);
    assert.equal(letters.length, bad);
    for (const { reason, detail, payload } of letters) {
      assert.equal(reason, "store_rejected");
      assert.match(detail, /field type conflict/);
      assert.match(payload ?? "", /^mix,device=d\d,.* value=-1,odd=1 /);
    }

    // Once the cause is gone they are tried again, and stored.
    await influxQuery(store.url, "DROP MEASUREMENT mix");
    assert.equal(await replayDeadLetters(sluice.httpUrl, { reason: "store_rejected" }), bad);
    await until("the replay", async () => await stored() === bad);
    assertConserved(await settledBooks(sluice.httpUrl));
    assert.equal((await deadLetters(sluice.httpUrl)).length, 0);
  },
);
