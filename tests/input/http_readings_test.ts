/**
 * Readings over HTTP: every format, and those who mean harm.
 *
 * @module
 */
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { deadLetters } from "../support/api.ts";
import { storedSeries, storedValues } from "../support/input.ts";
import { assertConserved, settledBooks, startSluice } from "../support/sluice.ts";

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function post(
  httpUrl: string,
  body: BodyInit,
  headers: Readonly<Record<string, string>> = {},
  query = "",
): Promise<Answer> {
  const answer = await fetch(`${httpUrl}/api/readings${query}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body,
  });
  return { status: answer.status, text: await answer.text() };
}

/** Sends bytes as they are, and gives what comes back until the other side closes. */
async function raw(httpUrl: string, ...chunks: readonly string[]): Promise<string> {
  const { hostname, port } = new URL(httpUrl);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  for (const chunk of chunks) await connection.write(new TextEncoder().encode(chunk));
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(4_096);
  let text = "";
  for (;;) {
    const count = await connection.read(buffer);
    if (count === null) return text;
    text += decoder.decode(buffer.subarray(0, count));
    if (text.includes("\r\n\r\n")) return text;
  }
}

Deno.test("readings come in every format, are stored, and those that are not are named", async () => {
  await using sluice = await startSluice({ config: { shards: 2 } });
  const { httpUrl } = sluice;
  const ndjson = { "content-type": "application/x-ndjson" };
  const lines = { "content-type": "text/plain; charset=utf-8" };
  const weather = '{"name":"roof","temperature":21.5,"timestamp":1700000000,"token":123}';
  assert.deepEqual(await post(httpUrl, weather), { status: 204, text: "" });
  const array = '[{"BAT":99},{"TMP":25.30},[1]]';
  const partly = await post(httpUrl, array, {}, "?topic=UPB/RPi_1");
  assert.equal(partly.status, 400);
  assert.match(partly.text, /"accepted":2,"rejected":\[\{"index":2,.*"reason":"not_an_object"/);
  assert.equal(
    (await post(httpUrl, '{"uuid":"u1","value":1}\n{"uuid":"u2","value":2}', ndjson)).status,
    204,
  );
  const line = "air,room=a/b temp=1.5,n=3i 1700000000\nair,room=x temp=2 1700000001\n";
  assert.equal((await post(httpUrl, line, lines, "?precision=s")).status, 204);
  const feature = '{"type":"Feature","geometry":{"type":"Point","coordinates":[26.1,44.4]},' +
    '"properties":{"fleet":"f","vehicle":"v1"}}';
  const geo = { "content-type": "application/geo+json", "content-encoding": "gzip" };
  assert.equal((await post(httpUrl, new Uint8Array(gzipSync(feature)), geo)).status, 204);

  assertConserved(await settledBooks(httpUrl));
  assert.deepEqual(await storedSeries(httpUrl), [
    "UPB~RPi_1.BAT=99",
    "UPB~RPi_1.TMP=25.3",
    "f~v1.lat=44.4",
    "f~v1.lon=26.1",
    "line~air,room=a/b.n=3",
    "line~air,room=a/b.temp=1.5",
    "line~air,room=x.temp=2",
    "u1.value=1",
    "u2.value=2",
    "weather~roof.temperature=21.5",
  ]);
  const [stored] = await storedValues(httpUrl, "line~air,room=a/b");
  assert.equal(stored?.time, "2023-11-14T22:13:20.000000000Z");
  assert.deepEqual((await deadLetters(httpUrl)).map(({ topic, payload }) => [topic, payload]), [
    ["UPB/RPi_1", "[1]"],
  ]);
});

Deno.test("a request with an Idempotency-Key counts once, also over a kill -9", async () => {
  await using sluice = await startSluice({ config: { shards: 2 } });
  const { httpUrl } = sluice;
  const body = '[{"BAT":1},{"BAT":1},{"BAT":2}]';
  const send = (key: string) => post(httpUrl, body, { "idempotency-key": key }, "?topic=a/b");
  assert.equal((await send("k1")).status, 204);
  assert.equal((await send("k1")).status, 204);
  await sluice.process.kill();
  await sluice.process.restart();
  assert.equal((await send("k1")).status, 204);
  assert.equal((await send("k2")).status, 204);
  await settledBooks(httpUrl);
  assert.equal((await storedValues(httpUrl)).length, 6);
});

Deno.test("bombs, slow bodies and odd names harm nobody", async () => {
  await using sluice = await startSluice({
    config: { shards: 2 },
    env: { SLUICE_HTTP_BODY_TIMEOUT_MS: "500" },
  });
  const { httpUrl } = sluice;
  const bomb = new Uint8Array(gzipSync(new Uint8Array(100 << 20)));
  const bombs = await Promise.all(
    Array.from({ length: 20 }, () => post(httpUrl, bomb, { "content-encoding": "gzip" })),
  );
  // Too large, no room now, or too slow where the machine is busy.
  for (const { status } of bombs) assert.ok([413, 503, 408].includes(status), String(status));
  const head =
    "POST /api/readings HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n";
  const slow = await raw(httpUrl, `${head}content-length: 100\r\n\r\n`, '{"uuid":');
  assert.match(slow, /^HTTP\/1\.1 408 /);
  const huge = await raw(httpUrl, `${head}content-length: 99999999999\r\n\r\n`);
  assert.match(huge, /^HTTP\/1\.1 413 /);
  const nested = "[".repeat(500_000) + "]".repeat(500_000);
  assert.equal((await post(httpUrl, nested, {}, "?topic=a/b")).status, 400);
  const names =
    '[{"name":"__proto__","constructor":1},{"topic":"constructor/__proto__","payload":' +
    '{"__proto__":2,"toString":3}}]';
  assert.equal((await post(httpUrl, names)).status, 204);
  const injected = await post(httpUrl, '{"topic":"a/b\\nc,d=e f=1","payload":{"x":1}}');
  assert.equal(injected.status, 400);
  const foreign = await post(httpUrl, '{"uuid":"a","value":1}', { origin: "http://evil.example" });
  assert.equal(foreign.status, 403);
  assertConserved(await settledBooks(httpUrl));
  assert.deepEqual(await storedSeries(httpUrl), [
    "constructor~__proto__.__proto__=2",
    "constructor~__proto__.toString=3",
    "weather~__proto__.constructor=1",
  ]);
});
