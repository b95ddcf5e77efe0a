/**
 * Tokens that are forged, confused or of somebody else, on every way in: MQTT, the API and `/ws`.
 *
 * @module
 */
import assert from "node:assert/strict";
import {
  addAccount,
  adminPassword,
  api,
  connect,
  login,
  publishCode,
  refusal,
} from "../support/accounts.ts";
import { assertConserved, metrics, settledBooks, startSluice } from "../support/sluice.ts";

const secret = "u8Qv3mZt0pXyR7kLw2NcE5hJd9GfBs41";
const utf8 = new TextEncoder();
const base64url = (data: string | Uint8Array): string =>
  (typeof data === "string" ? utf8.encode(data) : data)
    .toBase64({ alphabet: "base64url", omitPadding: true });

/** A JWT of whatever text, signed by HMAC under whatever key. */
async function forged(header: string, payload: string, key: string, hash = "SHA-256") {
  const imported = await crypto.subtle.importKey(
    "raw",
    utf8.encode(key),
    { name: "HMAC", hash },
    false,
    [
      "sign",
    ],
  );
  const text = `${base64url(header)}.${base64url(payload)}`;
  const signature = await crypto.subtle.sign("HMAC", imported, utf8.encode(text));
  return `${text}.${base64url(new Uint8Array(signature))}`;
}

function partOf(token: string, index: 0 | 1): Record<string, unknown> {
  const bytes = Uint8Array.fromBase64(token.split(".")[index]!, { alphabet: "base64url" });
  return JSON.parse(new TextDecoder().decode(bytes));
}

/** How `/ws` ends a station that says hello with this token; 0 when it welcomes it. */
function stationEnd(httpUrl: string, token: string): Promise<number> {
  const socket = new WebSocket(`${httpUrl.replace("http", "ws")}/ws`);
  return new Promise((resolve) => {
    socket.onopen = () => socket.send(JSON.stringify({ type: "hello", token }));
    socket.onmessage = () => {
      socket.onclose = () => resolve(0);
      socket.close();
    };
    socket.onclose = ({ code }) => resolve(code);
  });
}

Deno.test("forged and confused tokens let nobody in, on no way", async (t) => {
  await using sluice = await startSluice({
    config: { auth: { required: true }, jwt: { secret }, shards: 1 },
  });
  const { httpUrl, mqttPort } = sluice;
  const admin = await login(httpUrl, "admin", await adminPassword(sluice));
  const password = await addAccount(httpUrl, admin, { name: "UPB/A", kind: "device" });
  await addAccount(httpUrl, admin, { name: "UPB/B", kind: "device" });
  const token = await login(httpUrl, "UPB/A", password);
  const header = partOf(token, 0);
  const claims = partOf(token, 1);
  const nowS = Math.floor(Date.now() / 1000);
  const sign = (
    changed: Record<string, unknown>,
    head: Record<string, unknown> = {},
    key = secret,
    hash?: string,
  ) =>
    forged(
      JSON.stringify({ ...header, ...head }),
      JSON.stringify({ ...claims, ...changed }),
      key,
      hash,
    );
  // The way tokens are forged here makes good ones, when nothing is changed.
  assert.equal((await api(httpUrl, await sign({}), "/api/devices/none")).status, 403);
  assert.equal(await stationEnd(httpUrl, await sign({})), 0);

  const admins = { roles: ["admin"], read: ["#"], write: ["#"], devices: ["*"] };
  const [head, body, signature] = token.split(".") as [string, string, string];
  const jwk = { kty: "oct", k: base64url("attacker-key-attacker-key-attacker") };
  const cases: Readonly<Record<string, string>> = {
    "alg none": `${base64url('{"alg":"none","typ":"JWT"}')}.${
      base64url(JSON.stringify({ ...claims, ...admins }))
    }.`,
    "alg nOnE with its kid": `${base64url(JSON.stringify({ ...header, alg: "nOnE" }))}.${body}.`,
    "alg none, old signature": `${
      base64url(JSON.stringify({ ...header, alg: "none" }))
    }.${body}.${signature}`,
    "no signature": `${head}.${body}.`,
    "payload exchanged": `${head}.${
      base64url(JSON.stringify({ ...claims, ...admins }))
    }.${signature}`,
    "RS256 named, HMAC made": await sign(admins, { alg: "RS256" }),
    "HS512": await sign(admins, { alg: "HS512" }, secret, "SHA-512"),
    "an empty key": await sign(admins, {}, "\0"),
    "the kid as key": await sign(admins, {}, String(header.kid)),
    "kid of a file": await sign(admins, { kid: "../../../../dev/null" }, "\0"),
    "kid with SQL": await sign(admins, { kid: "x' UNION SELECT 'key" }, "key"),
    "kid that is an object": await sign(admins, { kid: { toString: 1 } }),
    "kid __proto__": await sign(admins, { kid: "__proto__" }),
    "no kid": await forged('{"alg":"HS256","typ":"JWT"}', JSON.stringify(claims), secret),
    "jwk": await sign(admins, { jwk }, "attacker-key-attacker-key-attacker"),
    "jku": await sign(admins, { jku: "http://127.0.0.1:1/keys" }),
    "x5u": await sign(admins, { x5u: "http://127.0.0.1:1/cert" }),
    "x5c": await sign(admins, { x5c: ["MIIB"] }),
    "crit": await sign(admins, { crit: ["exp"] }),
    "b64 false": await sign(admins, { b64: false, crit: ["b64"] }),
    "another type": await sign(admins, { typ: "at+jwt" }),
    "nbf ahead": await sign({ ...admins, nbf: nowS + 3_600 }),
    "iat ahead": await sign({ ...admins, iat: nowS + 3_600, exp: nowS + 7_200 }),
    "exp as text": await sign({ ...admins, exp: String(nowS + 3_600) }),
    "exp null": await sign({ ...admins, exp: null }),
    "no exp": await sign({ ...admins, exp: undefined }),
    "exp gone": await sign({ ...admins, exp: nowS - 31 }),
    "another issuer": await sign({ ...admins, iss: "sluice.evil" }),
    "another audience": await sign({ ...admins, aud: ["other"] }),
    "no audience": await sign({ ...admins, aud: undefined }),
    "no subject": await sign({ ...admins, sub: undefined }),
    "subject of another kind": await sign({ ...admins, sub: { name: "admin" } }),
    "unknown role": await sign({ roles: ["root"] }),
    "roles as text": await sign({ roles: "admin" }),
    "version as text": await sign({ ver: "99" }),
    "no version": await sign({ ...admins, ver: undefined }),
    "payload no object": await forged(JSON.stringify(header), "[]", secret),
    "payload no JSON": await forged(JSON.stringify(header), "{", secret),
    "huge": await sign({ pad: "x".repeat(40_000) }),
    "four parts": `${token}.x`,
    "JWE": `${token}.a.b`,
  };
  for (const [name, bad] of Object.entries(cases)) {
    await t.step(name, async () => {
      for (const path of ["/api/status", "/api/accounts", "/api/devices/UPB~A"]) {
        const { status, body } = await api(httpUrl, bad, path);
        assert.ok(status === 401 || status === 431, `${path} ${status}`);
        assert.doesNotMatch(JSON.stringify(body), /node_modules|\.ts:|jose|u8Qv3mZt/);
      }
      const weather = { name: "roof", temperature: 1, token: bad };
      assert.equal((await api(httpUrl, undefined, "/api/readings", weather)).status, 401);
      const code = await refusal(connect(mqttPort, "UPB/A", bad));
      assert.ok([0x86, 0x87, 0x85].includes(code), String(code));
      assert.equal(await stationEnd(httpUrl, bad), 4401);
    });
  }
  const sum = await metrics(httpUrl);
  assert.ok(sum("sluice_tokens_refused_total", 'reason="invalid"') >= 100);
  assert.ok(sum("sluice_stations_ended_total", 'reason="unauthorized"') >= 30);

  await t.step(
    "a token in a reading over HTTP is its account's, and checked beside another",
    async () => {
      const account = { name: "roof", kind: "device" };
      const own = await login(httpUrl, "roof", await addAccount(httpUrl, admin, account));
      const send = async (shown: string | undefined, name: string, token?: string) =>
        (await api(httpUrl, shown, "/api/readings", [{ name, temperature: 1, token }])).status;
      assert.equal(await send(undefined, "roof", own), 204);
      assert.equal(await send(own, "roof", own), 204);
      assert.equal(await send(undefined, "cellar", own), 400);
      assert.equal(await send(undefined, "roof"), 401);
      assert.equal(await send(own, "roof", "bad"), 401);
      assert.equal(await send(token, "roof", own), 401);
      const late = [{ name: "roof", temperature: 1, timestamp: "soon", token: own }];
      assert.equal((await api(httpUrl, own, "/api/readings", late)).status, 400);
      const { body: letters } = await api(httpUrl, admin, "/api/dead-letters");
      assert.match(JSON.stringify(letters), /\$weather\/roof/);
      assert.doesNotMatch(JSON.stringify(letters), new RegExp(own));
    },
  );

  await t.step("what device A has does nothing for device B", async () => {
    const client = await connect(mqttPort, "", token);
    for (const topic of ["UPB/B", "device/UPB/B", "UPB/B/position", "UPB", "UPB/A/", "upb/a"]) {
      assert.equal(await publishCode(client, topic), 0x87, topic);
    }
    const [granted] = await client.subscribeAsync(["UPB/+", "#", "+/+", "$SYS/#"], { qos: 1 })
      .catch(() => [undefined]);
    assert.equal(granted, undefined, "no filter wider than its own is granted");
    for (const filter of ["$share/g/#", "$share/g/UPB/B", "UPB/B", "UPB/A/#", "command/UPB/B/#"]) {
      await assert.rejects(client.subscribeAsync(filter), filter);
    }
    await client.subscribeAsync("$share/g/UPB/A");
    await client.endAsync();
    const foreign = { topic: "UPB/B", payload: { BAT: 1 } };
    assert.equal((await api(httpUrl, token, "/api/readings", foreign)).status, 400);
    for (
      const path of ["/api/devices/UPB~B", "/api/devices/UPB%2FB", "/api/readings?device=UPB~B"]
    ) {
      assert.equal((await api(httpUrl, token, path)).status, 403, path);
    }
    const twice = "/api/readings?device=UPB~A&device=UPB~B";
    assert.equal((await api(httpUrl, token, twice)).status, 403);
    assert.equal((await api(httpUrl, token, "/api/live?device=UPB~B")).status, 403);
  });

  await t.step("a device with + or # as name cannot be made", async () => {
    for (const name of ["+", "#", "UPB/+", "a/#", "", "a b", "a\nb", "device/x", "\u202ename"]) {
      const { status } = await api(httpUrl, admin, "/api/accounts", { name, kind: "device" });
      assert.equal(status, 400, name);
    }
    // Names of JavaScript's own are only names.
    for (const name of ["__proto__", "constructor"]) {
      const own = await addAccount(httpUrl, admin, { name: `x/${name}`, kind: "device" });
      const client = await connect(mqttPort, `x/${name}`, own, { clientId: name });
      assert.equal(await publishCode(client, `x/${name}`), 0);
      assert.equal(await publishCode(client, "x/other"), 0x87);
      await client.endAsync();
    }
  });

  await t.step("two accounts with one client id are two sessions", async () => {
    const other = await addAccount(httpUrl, admin, { name: "UPB/C", kind: "device" });
    const victim = await connect(mqttPort, "UPB/A", password, { clientId: "same" });
    const thief = await connect(mqttPort, "UPB/C", other, { clientId: "same" });
    assert.equal(await publishCode(victim, "UPB/A"), 0);
    await Promise.all([victim.endAsync(), thief.endAsync()]);
  });

  await t.step(
    "an uuid in the payload that is not the topic's is an identity mismatch",
    async () => {
      const own = await addAccount(httpUrl, admin, { name: "dev-1", kind: "device" });
      const client = await connect(mqttPort, "dev-1", own);
      const forgedId = JSON.stringify({ uuid: "dev-2", value: 1 });
      await client.publishAsync("device/dev-1", forgedId, { qos: 1 }).catch(() => {});
      await client.endAsync();
      const { body } = await api(httpUrl, admin, "/api/dead-letters");
      assert.match(JSON.stringify(body), /identity.mismatch/);
      assert.equal((await api(httpUrl, admin, "/api/devices/dev-2")).status, 404);
    },
  );
  assertConserved(await settledBooks(httpUrl));
});
