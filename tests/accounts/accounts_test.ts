/**
 * Accounts in the whole service: what a login gives, what a device may do on each way in, and that
 * a change takes hold of sessions that are open.
 *
 * @module
 */
import assert from "node:assert/strict";
import { testWith } from "../../gateways/testing/programs.ts";
import { startPostgres } from "../../gateways/testing/servers.ts";
import { signToken, tokenKey } from "../../gateways/auth/token.ts";
import { permissionsOf } from "../../gateways/auth/permissions.ts";
import {
  addAccount,
  adminPassword,
  api,
  connect,
  ending,
  login,
  publishCode,
  refusal,
} from "../support/accounts.ts";
import { runSluice } from "../support/run.ts";
import { assertConserved, metrics, settledBooks, startSluice, until } from "../support/sluice.ts";
import { Stalls } from "../support/stalls.ts";

/** A second, and as much again for a machine that runs other tests; stalls come on top. */
const endsWithinMs = 2_000;
const required = { auth: { required: true } };
const reason = { notAuthorized: 0x87, badPassword: 0x86, administrative: 0x98, maximumTime: 0xa0 };

/** Waits for the ends of sessions, which must have come soon after the change of their account. */
async function allWithin(ends: readonly ReturnType<typeof ending>[], changedMs: number) {
  using stalls = new Stalls();
  for (const { code, atMs } of await Promise.all(ends)) {
    assert.equal(code, reason.administrative);
    const afterMs = atMs - changedMs;
    assert.ok(afterMs < endsWithinMs + stalls.lostMs(), `after ${afterMs} ms`);
  }
}

Deno.test("a device may do what is its own, on every way in, and nothing else", async () => {
  await using sluice = await startSluice({ config: required });
  const { httpUrl, mqttPort } = sluice;
  const admin = await login(httpUrl, "admin", await adminPassword(sluice));
  const password = await addAccount(httpUrl, admin, { name: "UPB/A", kind: "device" });
  await addAccount(httpUrl, admin, { name: "UPB/B", kind: "device" });
  const token = await login(httpUrl, "UPB/A", password);

  // By password and by token, with the name and without.
  for (const [name, secret] of [["UPB/A", password], ["UPB/A", token], ["", token]] as const) {
    const client = await connect(mqttPort, name, secret);
    assert.equal(await publishCode(client, "UPB/A"), 0);
    assert.equal(await publishCode(client, "UPB/B"), reason.notAuthorized);
    assert.equal(await publishCode(client, "device/UPB"), reason.notAuthorized);
    await client.endAsync();
  }
  const foreign: readonly (readonly [string | undefined, string | undefined])[] = [
    [undefined, undefined],
    ["UPB/A", undefined],
    ["UPB/A", "wrong"],
    ["UPB/B", password],
    ["UPB/B", token],
    ["#", password],
    ["+", password],
    ["__proto__", password],
    ["UPB/A\nname=forged level=error", password],
    ["UPB/A", `${token.slice(0, -4)}AAAA`],
    ["UPB/A", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJVUEIvQSJ9."],
  ];
  for (const [name, secret] of foreign) {
    const code = await refusal(connect(mqttPort, name, secret));
    assert.ok(code === reason.badPassword || code === reason.notAuthorized, `${name} ${code}`);
  }
  const will = { topic: "UPB/B", payload: "{}", qos: 1 as const, retain: false };
  const withWill = connect(mqttPort, "UPB/A", password, { will });
  assert.equal(await refusal(withWill), reason.notAuthorized);
  assert.doesNotMatch(sluice.process.log, /^name=forged/m);

  const status = async (path: string, as?: string, body?: unknown) =>
    (await api(httpUrl, as, path, body)).status;
  for (const path of ["/api/status", "/api/devices", "/api/actors", "/api/accounts"]) {
    assert.equal(await status(path), 401, path);
    assert.equal(await status(path, `${token}x`), 401, path);
    assert.equal(await status(path, token), 403, path);
    assert.equal(await status(path, admin), 200, path);
  }
  await until("the device is known", async () => {
    return (await api(httpUrl, admin, "/api/devices/UPB~A")).status === 200;
  });
  assert.equal(await status("/api/devices/UPB~A", token), 200);
  assert.equal(await status("/api/devices/UPB~B", token), 403);
  assert.equal(await status("/api/readings?device=UPB~A", token), 200);
  assert.equal(await status("/api/readings?device=UPB~B", token), 403);
  assert.equal(await status("/api/readings", token), 403);
  assert.equal(await status("/api/dead-letters/replay", token, {}), 403);
  assert.equal(await status("/api/accounts", token, { name: "C", kind: "person" }), 403);

  const books = await settledBooks(httpUrl);
  assertConserved(books);
  assert.equal(books.stored + books.duplicate, 3);
  assert.equal(books.refused, 6);
});

Deno.test("without accounts everybody on this machine may do all, but manage accounts", async () => {
  await using sluice = await startSluice();
  const { httpUrl, mqttPort } = sluice;
  const client = await connect(mqttPort, undefined, undefined);
  assert.equal(await publishCode(client, "UPB/A"), 0);
  await client.endAsync();
  assert.equal((await api(httpUrl, undefined, "/api/status")).status, 200);
  assert.equal((await api(httpUrl, undefined, "/api/accounts")).status, 401);
  assert.equal((await api(httpUrl, undefined, "/api/audit")).status, 401);
  const admin = await login(httpUrl, "admin", await adminPassword(sluice));
  assert.equal((await api(httpUrl, admin, "/api/accounts")).status, 200);
});

Deno.test("a change of an account ends its sessions within a second, whoever made it", async () => {
  await using sluice = await startSluice({ config: { ...required, shards: 2 } });
  const { httpUrl, mqttPort, dataDir } = sluice;
  const admin = await login(httpUrl, "admin", await adminPassword(sluice));
  const password = await addAccount(httpUrl, admin, { name: "UPB/A", kind: "device" });
  const other = await addAccount(httpUrl, admin, { name: "UPB/B", kind: "device" });
  const bystander = await connect(mqttPort, "UPB/B", other);
  const commandLine = async (...args: string[]) => {
    const { code, stdout, stderr } = await runSluice(["account", ...args], {
      SLUICE_DATA_DIR: dataDir,
    });
    assert.equal(code, 0, stderr);
    return stdout;
  };
  /** Several sessions, so that they are on both shards; by password and by token. */
  const sessions = async (secret: string) => {
    const token = await login(httpUrl, "UPB/A", secret);
    return await Promise.all(
      [secret, token, secret, token, secret, token].map((one, i) =>
        connect(mqttPort, "UPB/A", one, { clientId: `c${i}` })
      ),
    );
  };
  const allEnd = async (secret: string, change: () => Promise<unknown>) => {
    const ends = (await sessions(secret)).map(ending);
    await change();
    await allWithin(ends, performance.now());
  };

  const oldToken = await login(httpUrl, "UPB/A", password);
  await allEnd(password, () => api(httpUrl, admin, "/api/accounts/disable", { name: "UPB/A" }));
  assert.equal(await refusal(connect(mqttPort, "UPB/A", password)), reason.badPassword);
  assert.equal(await refusal(connect(mqttPort, "UPB/A", oldToken)), reason.notAuthorized);
  assert.equal((await api(httpUrl, oldToken, "/api/devices/UPB~A")).status, 401);

  await commandLine("enable", "UPB/A");
  // The old token stays worthless: it is of the account as it was.
  await until("it is enabled", async () => {
    const client = await connect(mqttPort, "UPB/A", password).catch(() => undefined);
    await client?.endAsync();
    return client !== undefined;
  });
  assert.equal(await refusal(connect(mqttPort, "UPB/A", oldToken)), reason.notAuthorized);
  await allEnd(password, () => commandLine("disable", "UPB/A"));

  await commandLine("enable", "UPB/A");
  let next = "";
  await allEnd(password, async () => {
    next = /^password (\S+) /m.exec(await commandLine("rotate", "UPB/A"))?.[1] ?? "";
  });
  assert.equal(await refusal(connect(mqttPort, "UPB/A", password)), reason.badPassword);
  await allEnd(
    next,
    () => api(httpUrl, admin, "/api/accounts/grant", { name: "UPB/A", write: ["{name}/x/#"] }),
  );
  const granted = await connect(mqttPort, "UPB/A", next);
  assert.equal(await publishCode(granted, "UPB/A/x/1"), 0); // allowed; no route takes it
  await granted.endAsync();

  // Deleted, and there again: the name is the same, the account is another.
  const lastToken = await login(httpUrl, "UPB/A", next);
  await allEnd(next, async () => {
    const answer = await fetch(`${httpUrl}/api/accounts?name=UPB%2FA`, {
      method: "DELETE",
      headers: { authorization: `Bearer ${admin}` },
    });
    assert.equal(answer.status, 204);
  });
  assert.equal(await refusal(connect(mqttPort, "UPB/A", next)), reason.badPassword);
  assert.equal(await refusal(connect(mqttPort, "UPB/A", lastToken)), reason.notAuthorized);
  const again = await addAccount(httpUrl, admin, { name: "UPB/A", kind: "device" });
  assert.equal(await refusal(connect(mqttPort, "UPB/A", lastToken)), reason.notAuthorized);
  assert.equal((await api(httpUrl, lastToken, "/api/devices/UPB~A")).status, 401);
  await allEnd(again, () => commandLine("delete", "UPB/A"));

  assert.equal(bystander.connected, true);
  await bystander.endAsync();
  const sum = await metrics(httpUrl);
  assert.ok(sum("sluice_logins_total", 'outcome="granted"') > 10);
  assert.ok(sum("sluice_logins_total", 'outcome="wrong"') >= 3);
  assert.ok(sum("sluice_tokens_issued_total") >= 6);
  assert.ok(sum("sluice_tokens_refused_total", 'reason="outdated"') >= 5);
  assert.equal(sum("sluice_mqtt_connections_ended_account_changed_total"), 36);
  const log = await commandLine("audit");
  assert.match(log, /^\S+Z {2}admin {2}grant {2}UPB\/A \(version 7\) {2}\{"write":/m);
  assert.match(log, /^\S+Z {2}cli:\S+ {2}delete {2}UPB\/A \(version 10\)$/m);
  assert.match(log, /^\S+Z {2}admin {2}add {2}UPB\/A \(version 9\)/m);
  assert.match(log, /^\S+Z {2}cli:\S+ {2}rotate {2}UPB\/A \(version 6\)$/m);
  assert.match(log, /^\S+Z {2}system {2}add {2}admin \(version 1\)/m);
});

Deno.test("the end of a token ends the session that came with it", async () => {
  const secret = "u8Qv3mZt0pXyR7kLw2NcE5hJd9GfBs41";
  await using sluice = await startSluice({ config: { ...required, jwt: { secret } } });
  const { httpUrl, mqttPort } = sluice;
  const admin = await login(httpUrl, "admin", await adminPassword(sluice));
  await addAccount(httpUrl, admin, { name: "UPB/A", kind: "device" });
  const permissions = permissionsOf({
    name: "UPB/A",
    roles: ["device"],
    read: [],
    write: [],
    devices: [],
  });
  const nowS = Math.floor(Date.now() / 1000);
  const token = (expiresS: number) =>
    tokenKey(secret).then((key) =>
      signToken({ name: "UPB/A", version: 1, issuedS: nowS - 60, expiresS, permissions }, [key])
    );
  assert.equal(
    await refusal(connect(mqttPort, "UPB/A", await token(nowS - 31))),
    reason.notAuthorized,
  );
  const client = await connect(mqttPort, "UPB/A", await token(nowS - 27));
  assert.equal(await publishCode(client, "UPB/A"), 0);
  assert.equal((await ending(client)).code, reason.maximumTime);
});

testWith(
  ["postgres", "initdb", "pg_isready", "setpriv"],
  "two instances share accounts in PostgreSQL, which may be away",
  async () => {
    await using database = await startPostgres();
    const postgres = { url: `postgres://postgres@127.0.0.1:${database.port}/postgres` };
    const jwt = { secret: "u8Qv3mZt0pXyR7kLw2NcE5hJd9GfBs41" };
    await database.stop();
    const instance = (url: string) => ({
      config: { auth: { required: true, advertise: [url] }, postgres, jwt, shards: 1 },
    });
    await using first = await startSluice(instance("mqtts://one.example:8883"));
    // It runs, and lets nobody in.
    const answer = await fetch(`${first.httpUrl}/login`, {
      method: "POST",
      body: new URLSearchParams({ name: "admin", password: "x" }),
    });
    assert.equal(answer.status, 503);
    await answer.body?.cancel();
    assert.equal(await refusal(connect(first.mqttPort, "a", "b")), 0x88);
    const ready = await fetch(`${first.httpUrl}/readyz`);
    assert.match(await ready.text(), /accounts' database has not answered/);
    await database.restart();
    const secret = await adminPassword(first);
    await using second = await startSluice(instance("mqtts://two.example:8883"));
    const admin = await login(second.httpUrl, "admin", secret);
    const password = await addAccount(second.httpUrl, admin, { name: "UPB/A", kind: "device" });
    const token = await login(first.httpUrl, "UPB/A", password);
    // Each says where to connect, and names the other too.
    await until("both instances are announced", async () => {
      const answer = await fetch(`${first.httpUrl}/login`, {
        method: "POST",
        body: new URLSearchParams({ name: "UPB/A", password }),
      });
      await answer.body?.cancel();
      const named = (answer.headers.get("sluice-endpoints") ?? "").split(", ").toSorted();
      return named.join() === "mqtts://one.example:8883,mqtts://two.example:8883";
    });
    const clients = [
      await connect(first.mqttPort, "UPB/A", password),
      await connect(second.mqttPort, "UPB/A", token),
    ];
    for (const client of clients) assert.equal(await publishCode(client, "UPB/A"), 0);

    // While the database is away tokens go on being good; passwords cannot be checked.
    await database.stop();
    const known = await connect(second.mqttPort, "", token, { clientId: "known" });
    assert.equal(await publishCode(known, "UPB/A"), 0);
    assert.equal(await refusal(connect(second.mqttPort, "UPB/A", password)), 0x88);
    const { status, body: problem } = await api(second.httpUrl, admin, "/api/accounts");
    assert.deepEqual([status, problem.type], [503, "urn:sluice:problem:unavailable"]);
    await database.restart();

    const ends = [...clients, known].map(ending);
    await until("it is disabled", async () => {
      const { status } = await api(first.httpUrl, admin, "/api/accounts/disable", {
        name: "UPB/A",
      });
      return status === 200;
    });
    await allWithin(ends, performance.now());
    assert.equal((await api(second.httpUrl, token, "/api/devices/UPB~A")).status, 401);
  },
);
