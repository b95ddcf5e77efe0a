/** Bans as clients meet them. */
import assert from "node:assert/strict";
import { closeCodeIn } from "../../gateways/websocket/testing/client_frames.ts";
import { adminPassword, api, login } from "../support/accounts.ts";
import { connectPacket, RawClient } from "../support/raw_mqtt.ts";
import { RawWebSocket } from "../support/raw_websocket.ts";
import { metrics, startSluice, until } from "../support/sluice.ts";

const decoder = new TextDecoder();

Deno.test("clients that flap are banned in all shards, over a restart, until an admin lifts it", async (t) => {
  await using sluice = await startSluice({
    config: { shards: 2, limits: { flapping: { client: "6:3600" } } },
  });
  const { httpUrl, mqttPort } = sluice;
  const password = await adminPassword(sluice);
  const admin = await login(httpUrl, "admin", password);
  const connect = async (clientId: string, version: 4 | 5 = 5) => {
    const client = await RawClient.dial(mqttPort, version);
    await client.send(connectPacket(version, clientId));
    return { client, code: (await client.read())?.[3] };
  };
  const codeOf = async (clientId: string, version: 4 | 5 = 5) => {
    const { client, code } = await connect(clientId, version);
    client[Symbol.dispose]();
    return code;
  };
  const statusFrom = async (localAddress: string, path: string, init: RequestInit = {}) => {
    using client = Deno.createHttpClient({ localAddress });
    const answer = await fetch(`${httpUrl}${path}`, { ...init, client });
    await answer.body?.cancel();
    return answer.status;
  };
  const lift = async (key: string, from = "127.0.0.2") => {
    const headers = { authorization: `Bearer ${admin}` };
    assert.equal(
      await statusFrom(from, `/api/bans/${key}`, { method: "DELETE", headers }),
      204,
    );
  };
  const port = Number(new URL(httpUrl).port);
  const said = (frame: unknown) => ({ opcode: 1, payload: JSON.stringify(frame) });
  const station = async (name: string) => {
    const socket = await RawWebSocket.open(port, "/ws");
    await socket.send(said({ type: "hello", station: name }));
    return socket;
  };

  await t.step("by flapping", async () => {
    for (let i = 0; i < 7; i++) {
      assert.equal(await codeOf("flap", i % 2 === 0 ? 4 : 5), 0);
    }
    const list = async () => (await api(httpUrl, admin, "/api/bans")).body.items;
    await until("it is listed", async () => JSON.stringify(await list()).includes("flapping"));
    for (let i = 0; i < 8; i++) {
      const version = i % 2 === 0 ? 4 : 5;
      assert.equal(await codeOf("flap", version), version === 5 ? 0x8a : 5);
    }
    using other = (await connect("other")).client;
    assert.equal(await other.publish("UPB/other", '{"TMP":1}'), 0, "others are not meant");
    const sum = await metrics(httpUrl);
    assert.equal(sum("sluice_bans_total", 'subject="client"'), 1);
    assert.equal(sum("sluice_connections_refused_total", 'reason="banned"'), 8);
  });

  await t.step("by flapping over WebSocket, as a station and with MQTT", async () => {
    const isLetIn = async () => {
      using socket = await station("flapper");
      await socket.send(said({ type: "ping" }));
      await socket.heard(/pong|"banned","until":"20/);
      return socket.frames().some(({ payload }) => decoder.decode(payload).includes("pong"));
    };
    const mqttCode = async () => {
      using socket = await RawWebSocket.open(port, "/mqtt", { "sec-websocket-protocol": "mqtt" });
      await socket.send({ opcode: 2, payload: connectPacket(5, "carried") });
      await socket.heard(/^ /);
      return socket.frames()[0]?.payload[3];
    };
    // When its last end is known is not said.
    for (let i = 0; i < 7; i++) assert.equal(await isLetIn(), true);
    await until("the station is banned", async () => !await isLetIn());
    for (let i = 0; i < 7; i++) assert.equal(await mqttCode(), 0);
    await until("the client is banned", async () => await mqttCode() === 0x8a);
    const sum = await metrics(httpUrl);
    assert.equal(sum("sluice_bans_total", 'subject="client"'), 3);
  });

  await t.step("by hand, also one who is connected", async () => {
    const { client } = await connect("connected");
    const order = { client: "connected", forS: 600 };
    const { status, body } = await api(httpUrl, admin, "/api/bans", order);
    assert.deepEqual([status, body.key, body.by], [201, "client::connected", "admin"]);
    const bye = await client.read();
    assert.deepEqual([bye?.[0], bye?.[2]], [0xe0, 0x98]);
    client[Symbol.dispose]();
    assert.equal(await codeOf("connected"), 0x8a);
  });

  await t.step(
    "stations and HTTP too: what is open ends, and who comes is refused",
    async () => {
      const endOf = async (station: RawWebSocket) => {
        await station.heard(/^..banned until/s);
        return closeCodeIn(station.frames());
      };
      const ban = (order: unknown) => api(httpUrl, admin, "/api/bans", order);
      {
        using open = await station("roof");
        await open.heard(/welcome/);
        await ban({ client: "roof", forS: 600 });
        await open.heard(/"banned","until":"20/);
        assert.equal(await endOf(open), 4403);
      }
      {
        using again = await station("roof");
        assert.equal(await endOf(again), 4403);
      }
      const { client } = await connect("beside");
      {
        using open = await station("ridge");
        await open.heard(/welcome/);
        const viewer = await fetch(`${httpUrl}/api/live`);
        await ban({ address: "127.0.0.1", forS: 600 });
        assert.equal(await endOf(open), 4403);
        assert.equal((await client.read())?.[2], 0x98);
        await viewer.text(); // It ends.
      }
      using late = await RawWebSocket.open(port, "/ws");
      assert.match(late.head, /^HTTP\/1.1 403 .*\r\nretry-after: (600|599|5[89]\d)\r\n/is);
      assert.equal(await codeOf("late"), 0x8a);
      {
        // The body does not come.
        using poster = await Deno.connect({ hostname: "127.0.0.1", port });
        const head = "POST /api/readings?topic=UPB/x HTTP/1.1\r\nHost: localhost\r\n" +
          "Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n";
        await poster.write(new TextEncoder().encode(head));
        const answer = await new Response(poster.readable).text();
        assert.match(answer, /^HTTP\/1.1 403 .*\r\nretry-after: (600|599|5[89]\d)\r\n/is);
        assert.match(answer, /urn:sluice:problem:banned/);
      }
      assert.equal(await statusFrom("127.0.0.1", "/api/status"), 403);
      assert.equal(await statusFrom("127.0.0.1", "/healthz"), 200);
      assert.equal(await statusFrom("127.0.0.2", "/api/status"), 200);
      assert.equal(await statusFrom("127.0.0.1", "/api/bans"), 403);
      await lift("address:127.0.0.1", "127.0.0.1");
      client[Symbol.dispose]();
      const sum = await metrics(httpUrl);
      assert.equal(sum("sluice_stations_ended_total", 'reason="banned"'), 4);
    },
  );

  await t.step("over a restart, until it is lifted", async () => {
    await sluice.process.restart();
    assert.equal(await codeOf("flap"), 0x8a);
    await lift("client::flap");
    assert.equal(await codeOf("flap"), 0);
  });
});
