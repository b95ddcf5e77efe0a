/**
 * Clients that show a certificate: who is let in as whom, who is not, and that a session ends with
 * what it came by.
 *
 * @module
 */
import assert from "node:assert/strict";
import mqtt, { connectAsync, type IClientOptions, type MqttClient } from "mqtt";
import { TestAuthority } from "../../gateways/testing/certificates.ts";
import { freePort } from "../../gateways/testing/server_process.ts";
import { findProgram, testWith } from "../../gateways/testing/programs.ts";
import {
  addAccount,
  adminPassword,
  api,
  ending,
  login,
  publishCode,
  refusal,
} from "../support/accounts.ts";
import { pahoNeeds, runPaho } from "../support/paho.ts";
import { temporaryDirectory } from "../support/run.ts";
import { assertConserved, metrics, settledBooks, startSluice, until } from "../support/sluice.ts";
import { Stalls } from "../support/stalls.ts";

/** A second, and as much again for a machine that runs other tests. */
const endsWithinMs = 2_000;
const reason = { badPassword: 0x86, notAuthorized: 0x87, administrative: 0x98 };

testWith(
  ["openssl", "curl", "mosquitto_pub", ...pahoNeeds],
  "a client's certificate is its account's",
  async () => {
    await using directory = await temporaryDirectory();
    const { path } = directory;
    const file = (name: string): string => `${path}/${name}`;
    const read = (name: string): string => Deno.readTextFileSync(file(name));
    const ours = await TestAuthority.make(path, "ours");
    const theirs = await TestAuthority.make(path, "theirs");
    await ours.issue("server", { extensions: ["subjectAltName=IP:127.0.0.1"] });
    for (const name of ["one", "two", "nobody", "taken_back", "admin"]) await ours.issue(name);
    await theirs.issue("foreign", { subject: "/CN=one" });
    await ours.revoke("taken_back");
    await ours.list("list.pem");

    const [port, httpsPort] = [freePort(), freePort()];
    await using sluice = await startSluice({
      config: {
        shards: 2,
        auth: { required: true },
        limits: { connections: { perAddressMax: 6 } },
        mqtt: {
          listen: "",
          tls: {
            listen: `127.0.0.1:${port}`,
            certFile: file("server.crt"),
            keyFile: file("server.key"),
            clientCaFile: file("ours.crt"),
            clientCrlFile: file("list.pem"),
            reloadMs: 200,
          },
        },
      },
      env: {
        SLUICE_HTTP_TLS_LISTEN: `127.0.0.1:${httpsPort}`,
        SLUICE_HTTP_TLS_CERT_FILE: file("server.crt"),
        SLUICE_HTTP_TLS_KEY_FILE: file("server.key"),
        SLUICE_HTTP_TLS_CLIENT_CA_FILE: file("ours.crt"),
        SLUICE_HTTP_TLS_CLIENT_CRL_FILE: file("list.pem"),
        SLUICE_HTTP_TLS_RELOAD_MS: "200",
      },
    });
    const { httpUrl, process } = sluice;
    const admin = await login(httpUrl, "admin", await adminPassword(sluice));
    const passwords = new Map<string, string>();
    for (const name of ["one", "two", "taken_back"]) {
      const grants = { read: ["arrival/#"], write: ["arrival/#"] };
      passwords.set(name, await addAccount(httpUrl, admin, { name, kind: "service", ...grants }));
    }
    const url = `mqtts://127.0.0.1:${port}`;
    const optionsOf = (name: string | undefined, options: IClientOptions): IClientOptions => ({
      ca: read("ours.crt"),
      ...(name !== undefined && { cert: read(`${name}.crt`), key: read(`${name}.key`) }),
      protocolVersion: 5,
      reconnectPeriod: 0,
      connectTimeout: 10_000,
      ...options,
    });
    const connect = (name: string | undefined, options: IClientOptions = {}) =>
      connectAsync(url, optionsOf(name, options), false);
    const total = async (name: string): Promise<number> => (await metrics(httpUrl))(name);
    const published = async (client: MqttClient): Promise<void> => {
      assert.equal(await publishCode(client, "arrival/x"), 0);
      await client.endAsync();
    };

    // Clients of others, with a certificate and nothing else.
    await new Deno.Command(findProgram("mosquitto_pub"), {
      args: ["-h", "127.0.0.1", "-p", String(port), "-t", "arrival/pub", "-m", '{"v":1}', "-q", "2"]
        .concat([
          "--cafile",
          file("ours.crt"),
          "--cert",
          file("one.crt"),
          "--key",
          file("one.key"),
        ]),
    }).output().then(({ success, stderr }) => assert.ok(success, new TextDecoder().decode(stderr)));
    await runPaho("tcp", port, "5", "arrival/paho", ["ours.crt", "one.crt", "one.key"].map(file));
    const live = await connect("one");
    assert.equal(await publishCode(live, "arrival/live"), 0);
    assert.equal(await publishCode(live, "foreign/live"), reason.notAuthorized);

    // HTTP: what the account may do, here and in the main thread, and no more.
    const curl = async (name: string, path: string, ...args: readonly string[]) => {
      const files = ["--cacert", file("ours.crt")].concat(
        name === "" ? [] : ["--cert", file(`${name}.crt`), "--key", file(`${name}.key`)],
      );
      const { stdout } = await new Deno.Command(findProgram("curl"), {
        args: ["-sS", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "10", ...files]
          .concat(args, `https://127.0.0.1:${httpsPort}${path}`),
        stderr: "null",
      }).output();
      return new TextDecoder().decode(stdout);
    };
    const reading = ["-H", "content-type: application/json", "-d", '{"v":1}'];
    assert.equal(await curl("one", "/api/readings?topic=arrival/curl", ...reading), "204");
    assert.equal(await curl("one", "/api/readings?topic=foreign/curl", ...reading), "400");
    assert.equal(await curl("one", "/api/devices"), "403");
    assert.equal(await curl("nobody", "/api/devices"), "401");
    assert.equal(await curl("", "/healthz"), "000");
    assert.equal(await curl("foreign", "/healthz"), "000");
    assert.equal(await curl("admin", "/api/accounts"), "200");
    assert.equal(await curl("one", "/api/accounts"), "403");
    const ofAdmin = ["-H", `authorization: Bearer ${admin}`];
    assert.equal(await curl("one", "/api/accounts", ...ofAdmin), "401");
    assert.equal(await curl("admin", "/api/accounts", ...ofAdmin), "200");
    await until("those who were not let in are counted", async () => {
      return (await metrics(httpUrl))("sluice_http_tls_refused_total", "certificate") === 2;
    });

    // WebSocket: a station, and MQTT.
    const wss = `wss://127.0.0.1:${httpsPort}`;
    const carried = await connectAsync(
      `${wss}/mqtt`,
      optionsOf("two", { clientId: "carried" }),
      false,
    );
    assert.equal(await publishCode(carried, "arrival/wss"), 0);
    assert.equal(await publishCode(carried, "foreign/wss"), reason.notAuthorized);
    const carriedEnd = ending(carried);
    using httpClient = Deno.createHttpClient({
      caCerts: [read("ours.crt")],
      cert: read("two.crt"),
      key: read("two.key"),
    });
    const station = new WebSocket(`${wss}/ws`, { client: httpClient });
    const stationEnd = new Promise<number>((resolve) => {
      station.onclose = ({ code }) => resolve(code);
    });
    const frames: string[] = [];
    station.onmessage = ({ data }) => frames.push(JSON.parse(data).type);
    await new Promise((resolve) => station.onopen = resolve);
    station.send('{"type":"hello","station":"two"}');
    station.send('{"type":"reading","id":1,"topic":"arrival/ws","payload":{"v":1}}');
    await until("it is acknowledged", () => frames.includes("ack"));

    // What else is given must be the same account's.
    const password = passwords.get("one") ?? "";
    const token = await login(httpUrl, "one", password);
    await published(await connect("one", { username: "one" }));
    await published(await connect("one", { username: "one", password }));
    await published(await connect("one", { username: "one", password: token }));
    const contrary: IClientOptions[] = [
      { username: "two" },
      { username: "two", password: passwords.get("two") ?? "" },
      { username: "one", password: "wrong" },
      { username: "one", password: await login(httpUrl, "two", passwords.get("two") ?? "") },
    ];
    for (const options of contrary) {
      assert.equal(await refusal(connect("one", options)), reason.badPassword);
    }
    assert.equal(await refusal(connect("nobody")), reason.badPassword);

    // A session that is kept is the account's, whatever it logs in with.
    const kept = { clientId: "kept", clean: false, properties: { sessionExpiryInterval: 300 } };
    const away = await connect("two", kept);
    await away.subscribeAsync("arrival/two", { qos: 1 });
    await away.endAsync();
    await live.publishAsync("arrival/two", '{"v":2}', { qos: 1 });
    const withPassword = { username: "two", password: passwords.get("two") ?? "" };
    const back = mqtt.connect(url, optionsOf("two", { ...kept, ...withPassword }));
    const heard = await new Promise((resolve) => back.once("message", resolve));
    assert.equal(heard, "arrival/two");
    await back.endAsync();

    // Before MQTT begins.
    const before = await total("sluice_mqtt_client_certificates_refused_total");
    const strangers = [undefined, "foreign", "taken_back"];
    // More than an address may have at once: none of them keeps its place.
    for (const name of [...strangers, ...strangers, ...strangers]) {
      await assert.rejects(connect(name));
    }
    await until("they are counted", async () => {
      return await total("sluice_mqtt_client_certificates_refused_total") === before + 9;
    });
    for (
      const why of ["the client has none", "no CA that is trusted issued it", "it was revoked"]
    ) {
      assert.ok(process.log.includes(why), `${why}: ${process.log}`);
    }

    // Taken back while its session is open: that one ends, and others go on.
    const revoked = await connect("two");
    const revokedEnd = ending(revoked);
    await ours.revoke("two");
    await ours.list("list.next");
    await Deno.rename(file("list.next"), file("list.pem"));
    assert.equal((await revokedEnd).code, reason.administrative);
    assert.equal(await stationEnd, 4401);
    assert.equal((await carriedEnd).code, reason.administrative);
    assert.equal(await curl("two", "/healthz"), "000");
    await until("both shards know", async () => await total("sluice_mqtt_tls_reloads_total") === 2);
    await assert.rejects(connect("two"));

    // Disabled: its session ends within a second.
    const liveEnd = ending(live);
    assert.equal(await publishCode(live, "arrival/live"), 0);
    const { status } = await api(httpUrl, admin, "/api/accounts/disable", { name: "one" });
    assert.equal(status, 200);
    const disabledMs = performance.now();
    using stalls = new Stalls();
    const { code, atMs } = await liveEnd;
    assert.equal(code, reason.administrative);
    const afterMs = atMs - disabledMs;
    assert.ok(afterMs < endsWithinMs + stalls.lostMs(), `after ${afterMs} ms`);
    assert.equal(await refusal(connect("one")), reason.badPassword);
    for (const client of [live, revoked, carried]) await client.endAsync(true);
    assertConserved(await settledBooks(httpUrl));
  },
);
