import assert from "node:assert/strict";
import { parseConfig } from "../config.ts";
import { deviceUrls, endpointLines, type Endpoints } from "./endpoint_lines.ts";

const at = (port: number, hostname = "10.0.0.1") => ({ hostname, port });
const sessionSockets = { path: () => "", remove() {} };

async function lines(endpoints: Partial<Endpoints>, settings = {}): Promise<string[]> {
  const { config } = await parseConfig({ dataDir: "/d", ...settings });
  const none = { mqtt: undefined, mqttTls: undefined, http: undefined, httpTls: undefined };
  return endpointLines({ config, ...none, sessionSockets: undefined, ...endpoints });
}

Deno.test("every endpoint that is open has its line, with the port it really has", async () => {
  assert.deepEqual(
    await lines({
      mqtt: at(1883),
      mqttTls: at(8883),
      http: at(8080),
      httpTls: at(8443),
      sessionSockets,
    }),
    [
      "MQTT       mqtt://10.0.0.1:1883",
      "MQTT TLS   mqtts://10.0.0.1:8883",
      "HTTP       http://10.0.0.1:8080/  (dashboard, /api, /metrics)",
      "HTTPS      https://10.0.0.1:8443/  (dashboard, /api, /metrics)",
      "MQTT ws    ws://10.0.0.1:8080/mqtt",
      "MQTT wss   wss://10.0.0.1:8443/mqtt",
      "store      embedded, /d/store.db",
    ],
  );
});

Deno.test("what is closed has none: MQTT over WebSocket goes with the port it comes in by", async () => {
  const store = "store      embedded, /d/store.db";
  assert.deepEqual(await lines({}), [store]);
  assert.deepEqual(await lines({ httpTls: at(1), sessionSockets }), [
    "HTTPS      https://10.0.0.1:1/  (dashboard, /api, /metrics)",
    "MQTT wss   wss://10.0.0.1:1/mqtt",
    store,
  ]);
  assert.deepEqual(await lines({ http: at(1) }), [
    "HTTP       http://10.0.0.1:1/  (dashboard, /api, /metrics)",
    store,
  ]);
});

Deno.test("a login names every way in, that of stations too", () => {
  const none = { mqtt: undefined, mqttTls: undefined, http: undefined, httpTls: undefined };
  assert.deepEqual(deviceUrls(none), []);
  assert.deepEqual(deviceUrls({ ...none, http: at(8080, "::1") }), ["ws://[::1]:8080/ws"]);
  assert.deepEqual(
    deviceUrls({ mqtt: at(1883), mqttTls: at(8883), http: at(8080), httpTls: at(8443) }),
    [
      "mqtts://10.0.0.1:8883",
      "mqtt://10.0.0.1:1883",
      "wss://10.0.0.1:8443/ws",
      "ws://10.0.0.1:8080/ws",
    ],
  );
});

Deno.test("brokers and the store stand there without their credentials", async () => {
  const printed = await lines({}, {
    broker: { urls: ["mqtts://gateway:hunter2@a:8883", "mqtt://b:1883"] },
    influx: { url: "http://writer:hunter2@influx:8086", bucket: "b" },
  });
  assert.deepEqual(printed.slice(0, 2), ["broker     mqtts://a:8883", "broker     mqtt://b:1883"]);
  assert.equal(printed.length, 3);
  assert.doesNotMatch(printed.join(), /hunter2/);
});
