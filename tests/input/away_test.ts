/**
 * Brokers and stores that are not there, or do not let us in: Sluice starts, takes what it can
 * take, says on `/readyz` what is wrong, and goes on by itself when that is mended.
 *
 * @module
 */
import assert from "node:assert/strict";
import {
  startInfluxd,
  startMosquitto,
  startVictoriaMetrics,
} from "../../gateways/testing/servers.ts";
import { findProgram, testWith } from "../../gateways/testing/programs.ts";
import { freePort } from "../../gateways/testing/server_process.ts";
import { deadLetters, readiness } from "../support/api.ts";
import { publish, storedSeries } from "../support/input.ts";
import { assertConserved, books, settledBooks, startSluice, until } from "../support/sluice.ts";

testWith(
  ["victoria-metrics", "mosquitto_pub"],
  "an unreachable store: it starts, keeps readings, and writes them when the store comes",
  async () => {
    await using store = await startVictoriaMetrics();
    await store.kill();
    await using sluice = await startSluice({ config: { influx: { url: store.url } } });
    await publish(sluice.mqttPort, "away/store", '{"x":1,"timestamp":1700000000}');
    await publish(sluice.mqttPort, "away/store", '{"x":2,"timestamp":1700000001}');
    await until("not ready", async () => !(await readiness(sluice.httpUrl)).ready);
    const { text } = await readiness(sluice.httpUrl);
    assert.match(text, /the store is away: .*(refused|ECONNREFUSED).*\(readings are taken/i);
    const away = await books(sluice.httpUrl);
    assertConserved(away);
    assert.deepEqual([away.received, away.stored, away.spool], [2, 0, 2]);

    await store.restart();
    await until("ready again", async () => (await readiness(sluice.httpUrl)).ready);
    const back = await settledBooks(sluice.httpUrl);
    assert.equal(back.stored, 2);
    await publish(sluice.mqttPort, "away/store", '{"x":3,"timestamp":1700000002}');
    assert.equal((await settledBooks(sluice.httpUrl)).stored, 3);
    await (await fetch(`${store.url}/internal/force_flush`)).body?.cancel();
    const answer = await fetch(
      `${store.url}/api/v1/export?` +
        new URLSearchParams({ "match[]": '{location="away"}', reduce_mem_usage: "1" }),
    );
    // A point that is written again after an outage is the same point; the export shows it twice.
    const points = new Set(
      (await answer.text()).trim().split("\n").flatMap((line) => {
        const { values, timestamps } = JSON.parse(line);
        return values.map((value: number, i: number) => `${value} at ${timestamps[i]}`);
      }),
    );
    assert.deepEqual([...points].toSorted(), [
      "1 at 1700000000000",
      "2 at 1700000001000",
      "3 at 1700000002000",
    ]);
  },
);

Deno.test("a store that nobody listens at is named on /readyz before the first reading", async () => {
  const url = `http://127.0.0.1:${freePort()}`;
  await using sluice = await startSluice({ config: { influx: { url } } });
  await until("not ready", async () => !(await readiness(sluice.httpUrl)).ready);
  assert.match((await readiness(sluice.httpUrl)).text, /the store is away/);
});

testWith(
  ["influxd", "mosquitto_pub"],
  "wrong credentials at the store: nothing is lost, and it goes on when they are mended",
  async () => {
    await using store = await startInfluxd({ INFLUXDB_HTTP_AUTH_ENABLED: "true" });
    const query = async (q: string, as?: string) => {
      const answer = await fetch(`${store.url}/query`, {
        method: "POST",
        body: new URLSearchParams({ q }),
        headers: as === undefined ? {} : { authorization: `Basic ${btoa(as)}` },
      });
      const text = await answer.text();
      assert.ok(answer.ok, text);
      return text;
    };
    await query(`CREATE USER "admin" WITH PASSWORD 'adminpass' WITH ALL PRIVILEGES`);
    await query(`CREATE DATABASE "qa"`, "admin:adminpass");
    await using sluice = await startSluice({
      config: { influx: { url: store.url, bucket: "qa", token: "sluice:topsecret" } },
    });
    await publish(sluice.mqttPort, "away/auth", '{"x":1,"timestamp":1700000000}');
    await until("not ready", async () => !(await readiness(sluice.httpUrl)).ready);
    const { text } = await readiness(sluice.httpUrl);
    assert.match(text, /the store is away: .*(401|authori[sz]|authentication)/i);
    assert.doesNotMatch(text + sluice.process.log, /topsecret/);
    assertConserved(await books(sluice.httpUrl));
    assert.equal((await books(sluice.httpUrl)).spool, 1);
    assert.deepEqual(
      await deadLetters(sluice.httpUrl),
      [],
      "credentials are not the reading's fault",
    );

    await query(`CREATE USER "sluice" WITH PASSWORD 'topsecret'`, "admin:adminpass");
    await query(`GRANT ALL ON "qa" TO "sluice"`, "admin:adminpass");
    await until("ready", async () => (await readiness(sluice.httpUrl)).ready);
    assert.equal((await settledBooks(sluice.httpUrl)).stored, 1);
    assert.match(
      await query(`SELECT "value" FROM "qa".."auth.x"`, "admin:adminpass"),
      /"values":\[\["2023-11-14T22:13:20Z",1\]\]/,
    );
  },
);

testWith(
  ["mosquitto", "mosquitto_pub"],
  "an unreachable broker: it starts, serves its own endpoint, and connects when the broker comes",
  async () => {
    await using broker = await startMosquitto();
    await broker.kill();
    await using sluice = await startSluice({ config: { broker: { urls: [broker.url] } } });
    const { ready, text } = await readiness(sluice.httpUrl);
    assert.equal(ready, false);
    assert.match(text, /broker mqtt:\/\/127\.0\.0\.1:\d+ is not connected/);
    await until(
      "the cause is named",
      async () => /refused/i.test((await readiness(sluice.httpUrl)).text),
    );
    await publish(sluice.mqttPort, "away/direct", '{"x":1}');
    await until(
      "stored",
      async () => (await storedSeries(sluice.httpUrl, "away~direct")).length === 1,
    );

    await broker.restart();
    await until("ready", async () => (await readiness(sluice.httpUrl)).ready);
    await publish(broker.port, "away/broker", '{"x":2}');
    await until(
      "stored",
      async () => (await storedSeries(sluice.httpUrl, "away~broker")).length === 1,
    );
  },
);

testWith(
  ["mosquitto", "mosquitto_passwd", "mosquitto_pub"],
  "wrong credentials at the broker: it says so, and connects when they are mended",
  async () => {
    const file = await Deno.makeTempFile();
    const passwords = async (...args: string[]) => {
      const { success, stderr } = await new Deno.Command(findProgram("mosquitto_passwd"), {
        args: ["-b", file, ...args],
        stderr: "piped",
      }).output();
      assert.ok(success, new TextDecoder().decode(stderr));
    };
    try {
      await passwords("tester", "testerpass");
      // The later option wins: anonymous clients are refused.
      await using broker = await startMosquitto([
        "allow_anonymous false",
        `password_file ${file}`,
      ].reverse());
      const url = `mqtt://sluice:topsecret@127.0.0.1:${broker.port}`;
      await using sluice = await startSluice({ config: { broker: { urls: [url] } } });
      await until(
        "the cause is named",
        async () =>
          /not connected: .*(authori[sz]ed|password|credentials)/i.test(
            (await readiness(sluice.httpUrl)).text,
          ),
      );
      assert.doesNotMatch(
        (await readiness(sluice.httpUrl)).text + sluice.process.log,
        /topsecret/,
      );
      await passwords("sluice", "topsecret");
      await broker.stop();
      await broker.restart(); // Mosquitto reads its passwords at start.
      await until("ready", async () => (await readiness(sluice.httpUrl)).ready);
    } finally {
      await Deno.remove(file);
    }
  },
);
