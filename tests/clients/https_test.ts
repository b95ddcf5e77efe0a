/**
 * HTTP, stations and MQTT over WebSocket with TLS of Sluice's own: clients of others, certificates
 * that are replaced, and clients that do not speak it as they should.
 *
 * @module
 */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { connectAsync } from "mqtt";
import { launch } from "puppeteer-core";
import { TestAuthority } from "../../gateways/testing/certificates.ts";
import { findProgram, testWith } from "../../gateways/testing/programs.ts";
import { freePort } from "../../gateways/testing/server_process.ts";
import { addAccount, adminPassword, login, publishCode } from "../support/accounts.ts";
import { startLoad } from "../support/load_run.ts";
import { temporaryDirectory } from "../support/run.ts";
import { sim } from "../support/sim.ts";
import { assertConserved, metrics, settledBooks, startSluice, until } from "../support/sluice.ts";

const headTimeoutMs = 4_000;

/** What a program writes, to its end or until it has written this. */
async function run(
  program: "curl" | "openssl",
  args: readonly string[],
  until?: string,
): Promise<string> {
  const child = new Deno.Command("/bin/sh", {
    args: ["-c", 'exec "$@" 2>&1', program, findProgram(program), ...args],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  let text = "";
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (until !== undefined && text.includes(until)) child.kill();
  }
  await child.status;
  return text;
}

/** What comes until the other end closes; one that is reset says no more. */
async function heard(connection: Deno.Conn): Promise<string> {
  const buffer = new Uint8Array(4_096);
  let text = "";
  try {
    for (let n; (n = await connection.read(buffer)) !== null;) {
      text += new TextDecoder("latin1").decode(buffer.subarray(0, n));
    }
  } catch (cause) {
    const cut = cause instanceof Deno.errors.ConnectionReset ||
      cause instanceof Deno.errors.UnexpectedEof;
    if (!cut) throw cause;
  }
  return text;
}

testWith(["openssl", "curl", "chromium"], "HTTP over TLS, by clients of others", async (t) => {
  await using directory = await temporaryDirectory();
  const { path } = directory;
  const file = (name: string): string => `${path}/${name}`;
  const read = (name: string): string => Deno.readTextFileSync(file(name));
  for (const name of ["ours", "renewed"]) {
    const authority = await TestAuthority.make(path, name);
    const extensions = ["subjectAltName=IP:127.0.0.1"];
    await authority.issue(`${name}_server`, { extensions });
  }
  const put = async (certificate: string, key: string): Promise<void> => {
    await Deno.copyFile(file(`${certificate}_server.crt`), file("cert.pem"));
    await Deno.copyFile(file(`${key}_server.key`), file("key.pem"));
  };
  await put("ours", "ours");
  const port = freePort();
  const secureUrl = `https://127.0.0.1:${port}`;
  await using sluice = await startSluice({
    config: {
      shards: 1,
      auth: { required: true },
    },
    env: {
      SLUICE_HTTP_TLS_LISTEN: `127.0.0.1:${port}`,
      SLUICE_HTTP_TLS_CERT_FILE: file("cert.pem"),
      SLUICE_HTTP_TLS_KEY_FILE: file("key.pem"),
      SLUICE_HTTP_TLS_RELOAD_MS: "86400000",
      SLUICE_HTTP_HEAD_TIMEOUT_MS: `${headTimeoutMs}`,
    },
  });
  const { httpUrl, process } = sluice;
  const password = await adminPassword(sluice);
  const admin = await login(httpUrl, "admin", password);
  const grants = { read: ["arrival/#"], write: ["arrival/#"] };
  const stationPassword = await addAccount(httpUrl, admin, {
    name: "UPB/RPi_1",
    kind: "device",
    ...grants,
  });
  const token = await login(httpUrl, "UPB/RPi_1", stationPassword);
  const curl = (url: string, ...args: readonly string[]): Promise<string> =>
    run("curl", ["-sS", "--max-time", "10", "--cacert", file("ours.crt"), ...args, url]);
  const bearer = ["-H", `authorization: Bearer ${token}`];
  const total = async (name: string, label?: string): Promise<number> =>
    (await metrics(httpUrl))(name, label);
  const refused = (reason: string): Promise<number> =>
    total("sluice_http_tls_refused_total", `reason="${reason}"`);
  let sent = 0;

  await t.step("curl gets, posts, follows and logs in", async () => {
    assert.match(process.log, new RegExp(`HTTPS +${secureUrl}/ `));
    assert.match(process.log, new RegExp(`MQTT wss +wss://127.0.0.1:${port}/mqtt`));
    const said = await curl(`${secureUrl}/healthz`, "-w", "%{http_version}", "--http2");
    assert.equal(said, "ok\n1.1");
    const posted = await curl(
      `${secureUrl}/api/readings?topic=arrival/curl`,
      ...[...bearer, "-H", "content-type: application/json", "-d", '{"v":1}', "-w", "%{http_code}"],
    );
    assert.equal(posted, "204");
    sent++;
    const live = ["-sSN", "--cacert", file("ours.crt"), "--max-time", "10"];
    const asAdmin = ["-H", `authorization: Bearer ${admin}`, `${secureUrl}/api/live`];
    const reading = /^event: reading\ndata: .*"device":"curl"/m;
    assert.match(await run("curl", [...live, ...asAdmin], "\n\n"), reading);
    const form = ["-d", "name=admin", "-d", `password=${password}`, "-d", "session=true", "-i"];
    const cookie = /^set-cookie: .*$/im;
    assert.match(cookie.exec(await curl(`${secureUrl}/login`, ...form))?.[0] ?? "", /; Secure/);
    assert.doesNotMatch(cookie.exec(await curl(`${httpUrl}/login`, ...form))?.[0] ?? "", /Secure/);
    assert.match(
      await curl(`${secureUrl}/healthz`, "--cacert", file("renewed.crt")),
      /curl: \(60\)/,
    );
  });

  await t.step("HTTP/2 and versions before TLS 1.2 are not to be had", async () => {
    const dial = (...args: readonly string[]): Promise<string> =>
      run("openssl", ["s_client", "-connect", `127.0.0.1:${port}`, ...args]);
    assert.match(await dial("-alpn", "h2,http/1.1"), /^ALPN protocol: http\/1\.1$/m);
    assert.match(await dial("-alpn", "h2"), /^No ALPN negotiated$/m);
    assert.match(await dial("-tls1_2"), /Cipher is ECDHE/);
    assert.match(await dial("-tls1_1"), /Cipher is \(NONE\)/);
    // Without a word of ALPN, the first bytes give it away.
    const h2 = await Deno.connectTls({ hostname: "127.0.0.1", port, caCerts: [read("ours.crt")] });
    await h2.write(new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
    assert.match(await heard(h2), /^HTTP\/1\.1 505 /);
    h2.close();
  });

  await t.step("a station and MQTT come by wss", async () => {
    const { code, report, stderr } = await sim([
      ...["station", "--url", `wss://127.0.0.1:${port}/ws`, "--ca", file("ours.crt")],
      ...["--queue", file("queue"), "--count", "20", "--rate", "100"],
      ...["--name", "UPB/RPi_1", "--password", stationPassword],
    ]);
    assert.equal(code, 0, stderr);
    assert.equal(report.acknowledged, 20);
    sent += 20;
    const client = await connectAsync(`wss://127.0.0.1:${port}/mqtt`, {
      ca: read("ours.crt"),
      username: "UPB/RPi_1",
      password: stationPassword,
      protocolVersion: 5,
      reconnectPeriod: 0,
    }, false);
    const message = new Promise((resolve) => client.once("message", (topic) => resolve(topic)));
    await client.subscribeAsync("arrival/#", { qos: 2 });
    assert.equal(await publishCode(client, "arrival/wss"), 0);
    sent++;
    assert.equal(await message, "arrival/wss");
    await client.endAsync();
  });

  await t.step("load over https, and verify that asks for it there", async () => {
    await using load = await startLoad(secureUrl, {
      model: "arrival",
      devices: 2,
      connections: 2,
      rate: 100,
      "duration-s": 0.5,
      token: admin,
      ca: file("ours.crt"),
    });
    sent += Number((await load.end()).acknowledged);
    const reach = { token: admin, ca: file("ours.crt") };
    await load.verify("sluice", secureUrl, reach);
  });

  await t.step("the dashboard in a browser", async () => {
    const spki = new X509Certificate(read("ours_server.crt")).publicKey
      .export({ type: "spki", format: "der" });
    const digest = await crypto.subtle.digest("SHA-256", new Uint8Array(spki));
    const pin = new Uint8Array(digest).toBase64();
    const browser = await launch({
      executablePath: findProgram("chromium"),
      args: ["--no-sandbox", `--ignore-certificate-errors-spki-list=${pin}`],
    });
    try {
      const page = await browser.newPage();
      await page.goto(secureUrl);
      await page.waitForSelector("#login:not([hidden])");
      await page.type("#login [name=name]", "admin");
      await page.type("#login [name=password]", password);
      await page.click("#login button");
      await page.waitForFunction('document.body.textContent.includes("wss")');
      const [session] = (await browser.cookies()).filter(({ name }) => name === "sluice_session");
      assert.deepEqual([session?.secure, session?.httpOnly], [true, true]);
    } finally {
      await browser.close();
    }
  });

  await t.step("who does not speak TLS, or not to the end, harms nobody", async () => {
    const plain = await curl(`http://127.0.0.1:${port}/healthz`, "-i");
    assert.match(plain, /^HTTP\/1\.1 400 [^]*"urn:sluice:problem:tls-required"/);
    await until("it is counted", async () => await refused("plaintext") === 1);
    const dial = () => Deno.connect({ hostname: "127.0.0.1", port });
    const before = await refused("handshake");
    for (const garbage of [Uint8Array.of(22, 3, 1, 255, 255, 1, 0), new Uint8Array(20).fill(22)]) {
      using connection = await dial();
      await connection.write(garbage);
      await heard(connection);
    }
    (await dial()).close();
    await until("each is counted", async () => await refused("handshake") === before + 3);

    // As many as may be under way, half of them silent, half in the middle of a word.
    const open: Deno.TcpConn[] = [];
    for (let i = 0; i < 256; i++) {
      const connection = await dial();
      if (i % 2 === 0) await connection.write(Uint8Array.of(22, 3, 1, 2, 0, 1));
      open.push(connection);
    }
    assert.equal(await curl(`${secureUrl}/healthz`), "ok\n");
    await until("the oldest made room", async () => await refused("crowded") > 0);
    // The time of one that says nothing begins when it connects, not when TLS is through.
    const slow = await Deno.connectTls({
      hostname: "127.0.0.1",
      port,
      caCerts: [read("ours.crt")],
    });
    await slow.handshake();
    await Promise.all([...open, slow].map(heard));
    slow.close();
    for (const connection of open) connection.close();
    await until("all are counted", async () => {
      return await refused("crowded") + await refused("late") === open.length;
    });
  });

  await t.step("certificates are replaced while connections go on", async () => {
    const dial = (name: string) =>
      Deno.connectTls({ hostname: "127.0.0.1", port, caCerts: [read(`${name}.crt`)] });
    const ask = async (connection: Deno.TlsConn): Promise<void> => {
      const head = `GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`;
      await connection.write(new TextEncoder().encode(head));
      let answer = "";
      while (!answer.endsWith("ok\n")) {
        const into = new Uint8Array(4_096);
        const count = await connection.read(into);
        assert.ok(count !== null, answer);
        answer += new TextDecoder().decode(into.subarray(0, count));
      }
    };
    const hangUp = async (name: string): Promise<void> => {
      const failures = await total(name);
      Deno.kill(process.pid, "SIGHUP");
      await until(name, async () => await total(name) === failures + 1);
    };
    const first = await dial("ours");
    await ask(first);
    await put("renewed", "ours");
    await hangUp("sluice_http_tls_reload_failures_total");
    const second = await dial("ours");
    await ask(second);
    await put("renewed", "renewed");
    await hangUp("sluice_http_tls_reloads_total");
    const stranger = await dial("ours");
    await assert.rejects(stranger.handshake());
    stranger.close();
    const third = await dial("renewed");
    for (const connection of [first, second, third]) {
      await ask(connection);
      connection.close();
    }
  });
  const books = await settledBooks(httpUrl);
  assertConserved(books);
  assert.equal(books.received, sent);
});
