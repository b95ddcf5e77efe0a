/** Limits of connections, as clients meet them. */
import assert from "node:assert/strict";
import { TestAuthority } from "../../gateways/testing/certificates.ts";
import { testWith } from "../../gateways/testing/programs.ts";
import { freePort } from "../../gateways/testing/server_process.ts";
import { connectPacket, RawClient } from "../support/raw_mqtt.ts";
import { RawWebSocket } from "../support/raw_websocket.ts";
import { temporaryDirectory } from "../support/run.ts";
import { metrics, startSluice, until } from "../support/sluice.ts";

const started = (config: Readonly<Record<string, unknown>>) =>
  startSluice({ config: { shards: 2, ...config } });

/** What CONNECT is answered with: 0 for who is let in. */
async function connackOf(client: RawClient): Promise<number | undefined> {
  await client.send(connectPacket(client.version, `c-${crypto.randomUUID()}`));
  return (await client.read())?.[3];
}

Deno.test("one address has so many connections, over all shards and /ws", async () => {
  await using sluice = await started({ limits: { connections: { perAddressMax: 6 } } });
  const clients = await Promise.all(
    Array.from({ length: 6 }, () => RawClient.connect(sluice.mqttPort)),
  );
  using seventh = await RawClient.dial(sluice.mqttPort, 5);
  assert.equal(await connackOf(seventh), 0x97);
  const socket = new WebSocket(`${sluice.httpUrl.replace("http", "ws")}/ws`);
  await new Promise<unknown>((resolve) => socket.onerror = resolve);
  clients.pop()?.[Symbol.dispose]();
  await until("another is let in", async () => {
    using client = await RawClient.dial(sluice.mqttPort);
    return await connackOf(client) === 0;
  });
  const sum = await metrics(sluice.httpUrl);
  assert.ok(sum("sluice_connections_refused_total", 'reason="address_max"') >= 2);
  for (const client of clients) client[Symbol.dispose]();
});

Deno.test("one address connects at its rate", async () => {
  await using sluice = await started({ limits: { connections: { ratePerAddress: "10:3600" } } });
  const codes: (number | undefined)[] = [];
  for (let i = 0; i < 20; i++) {
    using client = await RawClient.dial(sluice.mqttPort, i % 2 === 0 ? 5 : 4);
    codes.push(await connackOf(client));
  }
  assert.deepEqual(codes.slice(0, 10), new Array(10).fill(0));
  assert.deepEqual(codes.slice(10, 12), [0x9f, 3]);
  // A shard that has no time to answer is counted as it last was.
  const refused = async () =>
    (await metrics(sluice.httpUrl))("sluice_connections_refused_total", 'reason="address_rate"');
  await until("ten are refused", async () => await refused() >= 10);
  assert.equal(await refused(), 10);
});

testWith(
  ["openssl"],
  "over TLS each connection of HTTP counts once, whatever it becomes",
  async () => {
    await using directory = await temporaryDirectory();
    const { path } = directory;
    const authority = await TestAuthority.make(path, "ours");
    await authority.issue("server", { extensions: ["subjectAltName=IP:127.0.0.1"] });
    const caCerts = [await Deno.readTextFile(`${path}/ours.crt`)];
    const port = freePort();
    const hostname = "127.0.0.1";
    await using sluice = await startSluice({
      config: { shards: 2, limits: { connections: { perAddressMax: 3 } } },
      env: {
        SLUICE_HTTP_TLS_LISTEN: `${hostname}:${port}`,
        SLUICE_HTTP_TLS_CERT_FILE: `${path}/server.crt`,
        SLUICE_HTTP_TLS_KEY_FILE: `${path}/server.key`,
      },
    });
    const open = async (path: "/ws" | "/mqtt") => {
      const headers = path === "/ws" ? {} : { "sec-websocket-protocol": "mqtt" };
      const client = await RawWebSocket.open(port, path, headers, caCerts);
      if (path === "/ws") return client;
      await client.send({ opcode: 2, payload: connectPacket(5, crypto.randomUUID()) });
      await client.heard(/^ /);
      assert.equal(client.frames()[0]?.payload[3], 0);
      return client;
    };
    const cutOff = (cause: unknown) =>
      cause instanceof Deno.errors.ConnectionReset || cause instanceof Deno.errors.UnexpectedEof;
    const all = async () => [await open("/ws"), await open("/mqtt"), await open("/mqtt")];
    const clients = await all();
    await assert.rejects(open("/ws"), cutOff);
    using plain = await RawClient.dial(sluice.mqttPort, 5);
    assert.equal(await connackOf(plain), 0x97);
    for (const client of clients.splice(0)) client[Symbol.dispose]();
    for (const path of ["/mqtt", "/mqtt", "/ws"] as const) {
      await until("its place is free again", async () => {
        const client = await open(path).catch((cause: unknown) => {
          if (!cutOff(cause)) throw cause;
        });
        if (client !== undefined) clients.push(client);
        return client !== undefined;
      });
    }
    await assert.rejects(open("/ws"), cutOff);
    for (const client of clients) client[Symbol.dispose]();
    const sum = await metrics(sluice.httpUrl);
    const refused = sum("sluice_http_tls_refused_total", 'reason="limit"');
    assert.ok(refused >= 2);
    assert.equal(sum("sluice_connections_refused_total", 'reason="address_max"'), refused + 1);
  },
);
