/**
 * MQTT over WebSocket at `/mqtt`, by mqtt.js and by clients that misbehave.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { connectAsync } from "mqtt";
import { assertConserved, metrics, settledBooks, startSluice, until } from "../support/sluice.ts";

const wsUrl = (httpUrl: string): string => `${httpUrl.replace("http", "ws")}/mqtt`;

/** Opens one by hand; resolves to the code it is closed with. */
function opened(url: string, protocols: string | string[], open: (socket: WebSocket) => void) {
  return new Promise<number>((resolve) => {
    const socket = new WebSocket(url, protocols);
    socket.onopen = () => open(socket);
    socket.onclose = ({ code }) => resolve(code);
  });
}

// Shows 5: 6.0.0-4; 3.1.1: 6.0.0-4.
Deno.test("mqtt.js over WebSocket publishes and hears with every QoS, in 3.1.1 and 5", async () => {
  await using sluice = await startSluice();
  for (const protocolVersion of [4, 5] as const) {
    const client = await connectAsync(wsUrl(sluice.httpUrl), {
      protocolVersion,
      reconnectPeriod: 0,
    });
    const heard: string[] = [];
    client.on("message", (_topic, payload) => heard.push(`${payload.length} ${payload.at(-1)}`));
    await client.subscribeAsync(`arrival/v${protocolVersion}`, { qos: 2 });
    const sum = await metrics(sluice.httpUrl);
    assert.equal(sum("sluice_sessions", 'transport="ws"'), 1);
    // A payload is carried unchanged, in frames that do not end where packets do.
    for (const qos of [0, 1, 2] as const) {
      const payload = Buffer.from(`{"v":1,"s":"${"x".repeat(qos * 60_000)}"}`);
      await client.publishAsync(`arrival/v${protocolVersion}`, payload, { qos });
    }
    await until("all are heard", () => heard.length === 3);
    assert.deepEqual(heard, ["14 125", "60014 125", "120014 125"]);
    await client.endAsync();
  }
  await until("both are gone", async () => {
    return (await metrics(sluice.httpUrl))("sluice_mqtt_ws_connections") === 0;
  });
  assertConserved(await settledBooks(sluice.httpUrl));
});

// Shows 5: 6.0.0-2, 6.0.0-4; 3.1.1: 6.0.0-2, 6.0.0-4.
Deno.test("packets are cut over frames and joined in one, and the sub-protocol is mqtt", async () => {
  await using sluice = await startSluice();
  const connect = Uint8Array.fromHex("100c00044d5154540402003c0000");
  const pings = Uint8Array.fromHex("c000c000");
  const answers = "20020000d000d000";
  let protocol = "";
  let heard = "";
  const code = await opened(wsUrl(sluice.httpUrl), ["chat", "mqtt"], (socket) => {
    protocol = socket.protocol;
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => {
      heard += new Uint8Array(data).toHex();
      if (heard === answers) socket.send(Uint8Array.fromHex("e000")); // DISCONNECT
    };
    for (let at = 0; at < connect.length; at++) socket.send(connect.subarray(at, at + 1));
    socket.send(pings);
  });
  assert.equal(protocol, "mqtt");
  assert.equal(heard, answers);
  assert.equal(code, 1000);
});

// Shows 5: 6.0.0-1; 3.1.1: 6.0.0-1.
Deno.test("a text frame, no sub-protocol and a foreign page are refused", async () => {
  await using sluice = await startSluice();
  const url = wsUrl(sluice.httpUrl);
  assert.equal(await opened(url, "mqtt", (socket) => socket.send("text")), 1003);
  const asked = async (headers: Record<string, string>): Promise<number> => {
    const { hostname, port } = new URL(url);
    using connection = await Deno.connect({ hostname, port: Number(port) });
    const lines = Object.entries({
      host: `${hostname}:${port}`,
      upgrade: "websocket",
      connection: "upgrade",
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
      ...headers,
    }).map(([name, value]) => `${name}: ${value}\r\n`).join("");
    await connection.write(new TextEncoder().encode(`GET /mqtt HTTP/1.1\r\n${lines}\r\n`));
    const answer = new Uint8Array(4_096);
    const count = await connection.read(answer) ?? 0;
    return Number(new TextDecoder().decode(answer.subarray(0, count)).split(" ")[1]);
  };
  assert.equal(await asked({}), 400);
  assert.equal(await asked({ "sec-websocket-protocol": "chat" }), 400);
  const mqtt = { "sec-websocket-protocol": "chat, mqtt" };
  assert.equal(await asked({ ...mqtt, origin: "https://elsewhere.example" }), 403);
  assert.equal(await asked(mqtt), 101);
  const sum = await metrics(sluice.httpUrl);
  assert.equal(sum("sluice_mqtt_ws_ended_text_total"), 1);
});
