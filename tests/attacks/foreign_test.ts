/**
 * What device A may do, tried on what belongs to device B, on every way in: MQTT over TCP and over
 * WebSocket, stations, HTTP and its topics, by topic, will, alias, retained message, URL and payload.
 *
 * @module
 */
import assert from "node:assert/strict";
import { connectAsync } from "mqtt";
import { addAccount, adminPassword, api, connect, login, refusal } from "../support/accounts.ts";
import { assertConserved, settledBooks, startSluice } from "../support/sluice.ts";

const notAuthorized = 0x87;

/** Says hello with the token, sends the frames, and gives all that came back until `answers` did. */
async function station(
  httpUrl: string,
  hello: Readonly<Record<string, unknown>>,
  frames: readonly unknown[],
): Promise<{ readonly answers: Record<string, unknown>[]; readonly code: number }> {
  const socket = new WebSocket(`${httpUrl.replace("http", "ws")}/ws`);
  const answers: Record<string, unknown>[] = [];
  const closed = Promise.withResolvers<number>();
  socket.onclose = ({ code }) => closed.resolve(code);
  socket.onopen = () => socket.send(JSON.stringify({ type: "hello", ...hello }));
  socket.onmessage = ({ data }) => {
    const answer: Record<string, unknown> = JSON.parse(String(data));
    if (answer["type"] === "welcome") {
      for (const frame of frames) socket.send(JSON.stringify(frame));
    } else if (answer["type"] === "ack") answers.push(answer);
    if (answers.length === frames.length) socket.close();
  };
  return { answers, code: await closed.promise };
}

Deno.test("what device A has does nothing for device B, on no way", async (t) => {
  await using sluice = await startSluice({ config: { auth: { required: true }, shards: 2 } });
  const { httpUrl, mqttPort } = sluice;
  const admin = await login(httpUrl, "admin", await adminPassword(sluice));
  const password = await addAccount(httpUrl, admin, { name: "UPB/A", kind: "device" });
  await addAccount(httpUrl, admin, { name: "UPB/B", kind: "device" });
  const token = await login(httpUrl, "UPB/A", password);
  // What B has, to be left as it is.
  const put = await fetch(`${httpUrl}/api/topics/UPB/B`, {
    method: "PUT",
    headers: { authorization: `Bearer ${admin}`, "content-type": "application/json" },
    body: '{"BAT":1}',
  });
  await put.body?.cancel();
  assert.ok(put.ok, String(put.status));

  for (const [name, url] of [["TCP", undefined], ["WebSocket", `${httpUrl}/mqtt`]] as const) {
    const open = (options = {}) =>
      url === undefined
        ? connect(mqttPort, "UPB/A", token, options)
        : connectAsync(url.replace("http", "ws"), {
          protocolVersion: 5,
          reconnectPeriod: 0,
          username: "UPB/A",
          password: token,
          ...options,
        }, false);

    await t.step(`MQTT over ${name}: publish, alias, retained, subscribe`, async () => {
      const client = await open();
      const code = (topic: string, options = {}) =>
        client.publishAsync(topic, '{"BAT":5}', { qos: 1, ...options }).then(
          () => 0,
          (error: unknown) =>
            typeof error === "object" && error !== null && "code" in error ? error.code : error,
        );
      for (const topic of ["UPB/B", "UPB/B/position", "device/UPB/B", "$SYS/x"]) {
        assert.equal(await code(topic), notAuthorized, topic);
      }
      assert.equal(await code("UPB/B", { retain: true }), notAuthorized);
      assert.equal(await code("UPB/B", { properties: { topicAlias: 1 } }), notAuthorized);
      assert.equal(await code("UPB/A"), 0);
      for (const filter of ["UPB/B", "UPB/+", "#", "$share/g/UPB/B", "$SYS/#", "+/B"]) {
        await assert.rejects(client.subscribeAsync(filter, { qos: 1 }), filter);
      }
      await client.endAsync();
    });

    await t.step(`MQTT over ${name}: a will on a foreign topic lets nobody in`, async () => {
      for (const topic of ["UPB/B", "$SYS/broker", "device/UPB/B"]) {
        const will = { topic, payload: '{"BAT":7}', qos: 1 as const, retain: true };
        assert.equal(await refusal(open({ will })), notAuthorized, topic);
      }
    });

    await t.step(`MQTT over ${name}: the token with another's name`, async () => {
      assert.ok([0x86, 0x87].includes(await refusal(open({ username: "UPB/B" }))));
    });
  }

  await t.step("a station: by topic, payload, batch and name", async () => {
    const frames = [
      { type: "reading", id: 1, topic: "UPB/B", payload: { BAT: 5 } },
      { type: "reading", id: 2, topic: "device/UPB/B", payload: { uuid: "UPB/B", value: 5 } },
      { type: "batch", id: 3, items: [{ topic: "UPB/B", payload: { BAT: 5 } }] },
      { type: "reading", id: 4, topic: "$line/cpu", payload: { BAT: 5 } },
    ];
    const { answers } = await station(httpUrl, { token }, frames);
    assert.equal(answers.length, frames.length, JSON.stringify(answers));
    for (const answer of answers) {
      assert.match(JSON.stringify(answer), /not_authorized|invalid_topic/);
    }
    // It cannot take the place of B's station either.
    const { answers: none, code } = await station(httpUrl, { token, station: "UPB/B" }, frames);
    assert.deepEqual([none.length, code], [0, 4401]);
  });

  await t.step("HTTP: topics, stations, readings of every format, live views", async () => {
    const as = async (method: string, path: string, body?: string, type = "application/json") => {
      const answer = await fetch(`${httpUrl}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { "content-type": type }),
        },
        ...(body === undefined ? {} : { body }),
      });
      const text = await answer.text();
      return `${answer.status} ${text}`;
    };
    for (const path of ["UPB/B", "UPB%2FB", "%55PB/B", "UPB/A/../B", "UPB/A%2F..%2FB", "UPB//B"]) {
      const url = `/api/topics/${path}`;
      assert.match(await as("PUT", url, '{"BAT":5}'), /^40[034] /, `PUT ${path}`);
      assert.match(await as("POST", url, '{"BAT":5}'), /^40[034] /, `POST ${path}`);
      assert.match(await as("DELETE", url), /^40[034] /, `DELETE ${path}`);
      assert.match(await as("GET", url), /^40[034] /, `GET ${path}`);
    }
    for (
      const path of ["/api/devices/UPB~B", "/api/readings?device=UPB~B", "/api/live?device=UPB~B"]
    ) {
      assert.match(await as("GET", path), /^403 /, path);
    }
    assert.match(await as("POST", "/api/stations/UPB%2FB/commands", "{}"), /^403 /);
    const bodies: readonly (readonly [string, string])[] = [
      ['{"topic":"UPB/B","payload":{"BAT":5}}', "application/json"],
      ['[{"topic":"UPB/B","payload":{"BAT":5}}]', "application/json"],
      ['{"topic":"UPB/B","payload":{"BAT":5}}\n', "application/x-ndjson"],
      ['{"uuid":"B","value":5}', "application/json"],
      ['{"fleet":"UPB","vehicle":"B","lat":1,"lon":1}', "application/json"],
      ["B.BAT,location=UPB,station=B value=5", "text/plain"],
    ];
    for (const [body, type] of bodies) {
      assert.match(await as("POST", "/api/readings", body, type), /^40[03] .*not_authorized/, body);
    }
  });

  await t.step("nothing of B has changed", async () => {
    assertConserved(await settledBooks(httpUrl));
    const series = (await storedSeriesAs(httpUrl, admin)).filter((one) =>
      !one.startsWith("UPB~A.")
    );
    assert.deepEqual(series, ["UPB~B.BAT=1"]);
    const { body } = await api(httpUrl, admin, "/api/topics/UPB/B");
    assert.deepEqual(body, { BAT: 1 });
  });
});

async function storedSeriesAs(httpUrl: string, token: string): Promise<string[]> {
  const { body } = await api(httpUrl, token, "/api/readings");
  const items = Array.isArray(body["items"]) ? body["items"] : [];
  return items.map(({ device, metric, value }) => `${device}.${metric}=${value}`);
}
