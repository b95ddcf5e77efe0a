/**
 * Clients behind proxies that tell whose connection they carry: HAProxy, and what no proxy sends.
 *
 * @module
 */
import assert from "node:assert/strict";
import { TestAuthority } from "../../gateways/testing/certificates.ts";
import { findProgram, testWith } from "../../gateways/testing/programs.ts";
import { freePort } from "../../gateways/testing/server_process.ts";
import { startHaproxy } from "../../gateways/testing/servers.ts";
import { connectPacket, RawClient } from "../support/raw_mqtt.ts";
import { temporaryDirectory } from "../support/run.ts";
import { assertConserved, metrics, settledBooks, startSluice, until } from "../support/sluice.ts";

/** Publishes with QoS 1 from an address of this machine's own; true when it is acknowledged. */
async function publishFrom(
  address: string,
  port: number,
  args: readonly string[] = [],
): Promise<boolean> {
  const { success } = await new Deno.Command(findProgram("mosquitto_pub"), {
    args: ["-A", address, "-h", "127.0.0.1", "-p", String(port), "-q", "1"]
      .concat(["-t", "arrival/proxied", "-m", '{"v":1}'], args),
    stderr: "null",
  }).output();
  return success;
}

testWith(
  ["haproxy", "mosquitto_pub", "openssl"],
  "HAProxy tells whose connection it carries: MQTT over TCP and TLS, HTTP and HTTPS",
  async () => {
    await using directory = await temporaryDirectory();
    const { path } = directory;
    const authority = await TestAuthority.make(path, "ours");
    await authority.issue("server", { extensions: ["subjectAltName=IP:127.0.0.1"] });
    const ports = {
      tcp: freePort(),
      tls: freePort(),
      one: freePort(),
      two: freePort(),
      secure: freePort(),
      http: freePort(),
      bare: freePort(),
      https: freePort(),
      httpTls: freePort(),
    };
    const tls = { certFile: `${path}/server.crt`, keyFile: `${path}/server.key` };
    await using sluice = await startSluice({
      config: {
        shards: 2,
        log: { level: "debug" },
        limits: { connections: { perAddressMax: 2 } },
        mqtt: {
          listen: `127.0.0.1:${ports.tcp}`,
          tls: { listen: `127.0.0.1:${ports.tls}`, ...tls },
          proxyProtocol: ["127.0.0.1"],
          connectTimeoutMs: 3_000,
        },
      },
      env: {
        SLUICE_HTTP_PROXY_PROTOCOL: "127.0.0.2",
        SLUICE_HTTP_TLS_LISTEN: `127.0.0.1:${ports.httpTls}`,
        SLUICE_HTTP_TLS_CERT_FILE: tls.certFile,
        SLUICE_HTTP_TLS_KEY_FILE: tls.keyFile,
      },
    });
    const { process, httpUrl } = sluice;
    const httpPort = Number(new URL(httpUrl).port);
    const carry = (name: string, from: number, to: number, how: string) => [
      `listen ${name}`,
      `  bind 127.0.0.1:${from}`,
      `  server sluice 127.0.0.1:${to} ${how}`,
    ];
    await using _haproxy = await startHaproxy([
      ...carry("one", ports.one, ports.tcp, "send-proxy"),
      ...carry("two", ports.two, ports.tcp, "send-proxy-v2"),
      ...carry("secure", ports.secure, ports.tls, "send-proxy-v2"),
      ...carry("http", ports.http, httpPort, "send-proxy-v2 source 127.0.0.2"),
      ...carry("https", ports.https, ports.httpTls, "send-proxy-v2 source 127.0.0.2"),
      ...carry("bare", ports.bare, httpPort, "source 127.0.0.2"),
    ]);

    const ca = ["--cafile", `${path}/ours.crt`];
    const ways = [
      [ports.one, []],
      [ports.two, []],
      [ports.secure, ca],
      [ports.tcp, []],
      [ports.tls, ca],
    ] as const;
    for (const [i, [port, args]] of ways.entries()) {
      const address = `127.0.0.${20 + i}`; // The last two come without a proxy, and are not one.
      assert.ok(await publishFrom(address, port, args), `from ${address}`);
      await until(address, () => process.log.includes(`peer=${address}:`));
    }

    // HTTP: a login that fails is logged with its address.
    const tryLogin = async (url: string, localAddress: string): Promise<number> => {
      const caCerts = [await Deno.readTextFile(`${path}/ours.crt`)];
      using client = Deno.createHttpClient({ localAddress, caCerts });
      const body = new URLSearchParams({ name: "nobody", password: "wrong" });
      const answer = await fetch(`${url}/login`, { method: "POST", body, client });
      await answer.body?.cancel();
      return answer.status;
    };
    assert.equal(await tryLogin(`http://127.0.0.1:${ports.http}`, "127.0.0.30"), 401);
    await until("it is logged", () => /nobody.*127\.0\.0\.30/.test(process.log));
    assert.equal(await tryLogin(`https://127.0.0.1:${ports.https}`, "127.0.0.31"), 401);
    await until("it is logged", () => /nobody.*127\.0\.0\.31/.test(process.log));
    await assert.rejects(tryLogin(`http://127.0.0.1:${ports.bare}`, "127.0.0.30"));
    assert.equal((await metrics(httpUrl))("sluice_http_proxy_headers_refused_total"), 1);

    // What a proxy that is trusted says is who counts.
    const behind = async (header: string | Uint8Array): Promise<RawClient> => {
      const client = await RawClient.dial(ports.tcp);
      await client.send(typeof header === "string" ? new TextEncoder().encode(header) : header);
      return client;
    };
    const connack = async (client: RawClient): Promise<number | undefined> => {
      await client.send(connectPacket(4, `c-${crypto.randomUUID()}`));
      return (await client.read())?.[3];
    };
    const clients: RawClient[] = [];
    const codes: (number | undefined)[] = [];
    for (const address of ["192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2"]) {
      const client = await behind(`PROXY TCP4 ${address} 127.0.0.1 5 1883\r\n`);
      clients.push(client);
      codes.push(await connack(client));
    }
    assert.deepEqual(codes, [0, 0, 3, 0]);

    // Missing, garbage, oversized; and one that never comes.
    const oversized = new Uint8Array(16).fill(255);
    oversized.set([13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10, 0x21, 0x11]);
    const sum = await metrics(httpUrl);
    const before = sum("sluice_mqtt_connections_unprepared_total");
    for (
      const header of [connectPacket(4, "none"), "PROXY nonsense\r\n\r\n", oversized, "PROXY TC"]
    ) {
      using client = await behind(header);
      assert.equal(await client.read(), undefined);
    }
    const after = await metrics(httpUrl);
    assert.equal(after("sluice_mqtt_proxy_headers_refused_total"), 3);
    assert.equal(after("sluice_mqtt_connections_unprepared_total") - before, 4);
    assert.match(process.log, /a proxy's connection was refused.*no PROXY header came/);
    for (const client of clients) client[Symbol.dispose]();
    const books = await settledBooks(httpUrl);
    assertConserved(books);
    assert.equal(books.received, ways.length);
  },
);
