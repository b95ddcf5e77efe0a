/** Readings that come over other ways than MQTT reach its subscribers, too. */
import assert from "node:assert/strict";
import { connectAsync, type MqttClient } from "mqtt";
import { testWith } from "../../gateways/testing/programs.ts";
import { freePort } from "../../gateways/testing/server_process.ts";
import { startMosquitto } from "../../gateways/testing/servers.ts";
import { publish } from "../support/input.ts";
import { metrics, type Sluice, startSluice, until } from "../support/sluice.ts";

/** Hears everything. */
async function listen({ mqttUrl }: Sluice): Promise<{ mqtt: MqttClient; heard: string[] }> {
  const mqtt = await connectAsync(mqttUrl, { protocolVersion: 5, reconnectPeriod: 0 });
  const heard: string[] = [];
  mqtt.on("message", (topic, payload, { qos }) => heard.push(`${topic} ${payload} ${qos}`));
  await mqtt.subscribeAsync("#", { qos: 2 });
  return { mqtt, heard };
}

async function end(mqtt: MqttClient): Promise<void> {
  await mqtt.endAsync();
  // mqtt.js closes its stores in timers of 0 ms that nothing waits for.
  await new Promise<void>((resolve) => setTimeout(resolve));
}

async function post(
  { httpUrl }: Sluice,
  body: string,
  type = "application/json",
): Promise<number> {
  const headers = { "content-type": type };
  const answer = await fetch(`${httpUrl}/api/readings`, { method: "POST", headers, body });
  await answer.body?.cancel();
  return answer.status;
}

/** Sends one frame as a station, and waits until it is acknowledged. */
async function sendAsStation({ httpUrl }: Sluice, frame: unknown): Promise<void> {
  const socket = new WebSocket(`${httpUrl.replace("http", "ws")}/ws`);
  const closed = new Promise((done) => socket.onclose = done);
  await new Promise<void>((acknowledged) => {
    socket.onopen = () => socket.send(JSON.stringify(frame));
    socket.onmessage = ({ data }) => {
      if (JSON.parse(String(data)).type === "ack") acknowledged();
    };
  });
  socket.close();
  await closed;
}

Deno.test("what comes over HTTP and from stations is heard in all shards, if it has a topic", async () => {
  await using sluice = await startSluice({ config: { shards: 2 } });
  // Connections go round the shards as the kernel likes: with several both have one.
  const clients = await Promise.all(Array.from({ length: 6 }, () => listen(sluice)));
  assert.equal(
    await post(sluice, '[{"uuid":"a","value":1},{"topic":"no/route/here","payload":{}}]'),
    400,
  );
  assert.equal(await post(sluice, "cpu,host=a usage=1", "text/plain"), 204);
  await sendAsStation(sluice, { topic: "UPB/RPi_1", payload: { TMP: 2 } });
  await sendAsStation(sluice, { name: "roof", temperature: 3 });
  assert.equal(await post(sluice, '{"uuid":"last","value":4}'), 204);
  for (const { mqtt, heard } of clients) {
    await until("the last one", () => heard.some((text) => text.includes("last")));
    assert.deepEqual(heard.toSorted(), [
      'UPB/RPi_1 {"TMP":2} 1',
      'device/a {"uuid":"a","value":1} 1',
      'device/last {"uuid":"last","value":4} 1',
    ]);
    await end(mqtt);
  }
});

testWith(
  ["mosquitto", "mosquitto_pub"],
  "what comes from a broker is heard, and a bridge back to it makes no circle",
  async () => {
    const mqttPort = freePort();
    await using broker = await startMosquitto([
      "connection back",
      `address 127.0.0.1:${mqttPort}`,
      "bridge_protocol_version mqttv50",
      "restart_timeout 1",
      "notifications false",
      "topic # in 1",
    ]);
    const config = {
      shards: 2,
      mqtt: { listen: `127.0.0.1:${mqttPort}` },
      broker: { urls: [broker.url] },
    };
    await using sluice = await startSluice({ config });
    const { mqtt, heard } = await listen({ ...sluice, mqttUrl: `mqtt://127.0.0.1:${mqttPort}` });
    const sum = async (name: string) => (await metrics(sluice.httpUrl))(name);
    await until(
      "the broker and its bridge",
      async () =>
        await sum("sluice_sessions") >= 3 && await sum("sluice_pubsub_subscriptions") >= 2,
    );
    await publish(broker.port, "up/x", '{"v":1}');
    await until("the message came back", async () => await sum("sluice_broker_loops_total") > 0);
    await publish(broker.port, "up/x", '{"v":2}');
    await until("the second came back", async () => await sum("sluice_broker_loops_total") > 1);
    assert.deepEqual(heard, ['up/x {"v":1} 1', 'up/x {"v":2} 1']);
    assert.equal(await sum("sluice_readings_received_total"), 2);
    await end(mqtt);
  },
);
