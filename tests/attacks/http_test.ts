/**
 * What is sent to the HTTP port by who means no good: lies about lengths, slow and packed bodies,
 * smuggled requests, paths, origins. None of it costs anybody else anything.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Bystanders } from "../support/input.ts";
import { getText, type Sluice, startSluice } from "../support/sluice.ts";

const utf8 = new TextEncoder();
const mib = 1024 * 1024;

/** Sends bytes as they are, and gives all that is answered before the other end closes. */
async function raw(port: number, ...parts: readonly (string | Uint8Array)[]): Promise<string> {
  using socket = await Deno.connect({ hostname: "127.0.0.1", port });
  const decoder = new TextDecoder();
  let text = "";
  const reading = (async () => {
    const buffer = new Uint8Array(16_384);
    try {
      for (let n; (n = await socket.read(buffer)) !== null;) {
        text += decoder.decode(buffer.subarray(0, n), { stream: true });
      }
    } catch (cause) {
      if (!(cause instanceof Deno.errors.ConnectionReset)) throw cause;
    }
  })();
  try {
    for (const part of parts) {
      const bytes = typeof part === "string" ? utf8.encode(part) : part;
      for (let at = 0; at < bytes.length;) at += await socket.write(bytes.subarray(at));
    }
  } catch (cause) {
    const gone = cause instanceof Deno.errors.BrokenPipe ||
      cause instanceof Deno.errors.ConnectionReset;
    if (!gone) throw cause;
  }
  await reading;
  return text;
}

const statuses = (text: string): number[] =>
  [...text.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, code]) => Number(code));

async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

Deno.test("attacks on the HTTP port cost nobody else anything", async (t) => {
  await using sluice: Sluice = await startSluice({ config: { shards: 1 } });
  using bystanders = await Bystanders.join(sluice);
  const { httpUrl } = sluice;
  const { port } = sluice.process;
  const before = await sluice.process.residentBytes();
  const host = `Host: 127.0.0.1:${port}\r\n`;
  const post = `POST /api/readings HTTP/1.1\r\n${host}Content-Type: application/json\r\n`;
  const last = `GET /healthz HTTP/1.1\r\n${host}Connection: close\r\n\r\n`;

  const refused: Readonly<Record<string, string>> = {
    "a Content-Length that is no number": `${post}Content-Length: 1e9\r\n\r\n{}`,
    "two Content-Lengths": `${post}Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}`,
    "a negative Content-Length": `${post}Content-Length: -1\r\n\r\n{}`,
    "a Content-Length beyond 64 bits": `${post}Content-Length: 99999999999999999999\r\n\r\n{}`,
    "a chunk size beyond 64 bits":
      `${post}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}`,
    "a chunk size that is no number":
      `${post}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`,
    "a header with NUL": `GET /api/status HTTP/1.1\r\n${host}X: a\0b\r\n\r\n`,
    "a thousand headers": `GET /healthz HTTP/1.1\r\n${host}${"X: y\r\n".repeat(1_000)}\r\n`,
    "a header of a megabyte": `GET /healthz HTTP/1.1\r\n${host}X: ${"x".repeat(mib)}\r\n\r\n`,
    "no HTTP at all": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
  };
  for (const [name, bytes] of Object.entries(refused)) {
    await t.step(name, async () => {
      const answers = statuses(await raw(port, bytes));
      assert.ok(answers.every((code) => code >= 400 && code < 500), answers.join());
      assert.equal((await getText(`${httpUrl}/healthz`)).ok, true);
    });
  }

  await t.step("a request that is smuggled in a body is not answered", async () => {
    const inner = `GET /api/status HTTP/1.1\r\n${host}\r\n`;
    const both = `${post}Content-Length: ${inner.length + 5}\r\nTransfer-Encoding: chunked\r\n` +
      `Connection: close\r\n\r\n0\r\n\r\n${inner}`;
    const answer = await raw(port, both);
    assert.ok(statuses(answer).length <= 1, answer);
    assert.doesNotMatch(answer, /"gateway"/);
  });

  await t.step("a name of another site that was made to lead here is not answered", async () => {
    const rebound = `Host: rebound.example:${port}\r\nOrigin: http://rebound.example:${port}\r\n`;
    const upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    const requests = [
      `GET /api/devices HTTP/1.1\r\n${rebound}Connection: close\r\n\r\n`,
      `POST /api/readings HTTP/1.1\r\n${rebound}Connection: close\r\nContent-Type: ` +
      'application/json\r\nContent-Length: 22\r\n\r\n{"uuid":"a","value":1}',
      `GET /ws HTTP/1.1\r\n${rebound}${upgrade}\r\n${last}`,
      `GET /mqtt HTTP/1.1\r\n${rebound}Sec-WebSocket-Protocol: mqtt\r\n${upgrade}\r\n${last}`,
    ];
    for (const request of requests) {
      const answer = await raw(port, request);
      assert.equal(statuses(answer)[0], 403, answer);
    }
    const named = last.replace(host, "Host: localhost:1\r\n");
    assert.deepEqual(statuses(await raw(port, named)), [200]);
  });

  await t.step("a length larger than what comes holds nobody up", async () => {
    using half = await Deno.connect({ hostname: "127.0.0.1", port });
    await half.write(utf8.encode(`${post}Content-Length: 100000\r\n\r\n{"topic"`));
    assert.deepEqual(statuses(await raw(port, last)), [200]);
    await bystanders.undisturbed();
  });

  await t.step(
    "gzip that unpacks to far too much is 413; nested and broken ones are 400",
    async () => {
      const send = async (body: Uint8Array<ArrayBuffer>) => {
        const answer = await fetch(`${httpUrl}/api/readings`, {
          method: "POST",
          headers: { "content-type": "application/json", "content-encoding": "gzip" },
          body,
        });
        const problem = await answer.json();
        assert.doesNotMatch(JSON.stringify(problem), /\.ts|node:|at async/);
        return answer.status;
      };
      const bomb = await gzip(new Uint8Array(256 * mib));
      assert.equal(await send(bomb), 413);
      assert.equal(await send(await gzip(await gzip(new Uint8Array(mib)))), 400);
      assert.equal(await send(bomb.slice(0, 1_000)), 400);
      assert.equal(await send(new Uint8Array(1_000)), 400);
    },
  );

  await t.step("JSON that is deep, or has JavaScript's own names, is only JSON", async () => {
    const send = async (body: string) => {
      const answer = await fetch(`${httpUrl}/api/readings`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      });
      await answer.body?.cancel();
      return answer.status;
    };
    assert.equal(await send("[".repeat(200_000)), 400);
    assert.equal(
      await send(`{"topic":"a/b","payload":${'{"x":'.repeat(5_000)}1${"}".repeat(5_000)}}`),
      400,
    );
    const names = '{"__proto__":{"admin":1},"constructor":1,"toString":2,"hasOwnProperty":3}';
    assert.equal(await send(`{"topic":"__proto__/constructor","payload":${names}}`), 204);
    assert.equal(await send(`{"__proto__":{"topic":"a/b"},"payload":{"x":1}}`), 400);
    const found = await getText(`${httpUrl}/api/devices/__proto__~constructor`);
    assert.match(found.text, /"toString":2/);
    assert.equal((await getText(`${httpUrl}/api/devices/toString`)).ok, false);
    assert.equal((await getText(`${httpUrl}/api/devices?__proto__=1`)).ok, false);
  });

  await t.step("parameters with SQL are values, or refused", async () => {
    const queries = [
      "device=x'%20OR%201=1--",
      "device=x%00",
      "metric=%22;DROP%20TABLE%20points;--",
      "sort=time;DELETE",
      "limit=1%20UNION%20SELECT",
      "agg=(select)",
    ];
    for (const query of queries) {
      const { text } = await getText(`${httpUrl}/api/readings?${query}`);
      const body = JSON.parse(text);
      assert.ok(body.status === 400 || body.items.length === 0, `${query} ${text}`);
      assert.doesNotMatch(text, /sqlite|syntax|\.ts/i);
    }
  });

  await t.step("no path leads out of the dashboard's files", async () => {
    const paths = [
      "/../main.ts",
      "/..%2f..%2fdeno.json",
      "/%2e%2e/%2e%2e/etc/passwd",
      "/dashboard/../../deno.json",
      "/dashboard/..%2fdashboard.ts",
      "/dashboard/__proto__",
      "//etc/passwd",
      "/..\\..\\deno.json",
      "/index.html%00.css",
    ];
    for (const path of paths) {
      const answer = await raw(port, `GET ${path} HTTP/1.1\r\n${host}Connection: close\r\n\r\n`);
      assert.ok(statuses(answer).every((code) => code >= 400), `${path}: ${answer.slice(0, 80)}`);
      assert.doesNotMatch(answer, /root:|"imports"|systemClock/);
    }
  });

  await t.step("a page of another site may neither change nor open anything", async () => {
    const foreign = "Origin: https://evil.example\r\n";
    const length = "Content-Length: 2\r\nConnection: close\r\n";
    for (const path of ["/api/readings", "/api/dead-letters/replay", "/login", "/api/accounts"]) {
      const head = `POST ${path} HTTP/1.1\r\n${host}${foreign}${length}`;
      const answer = await raw(port, `${head}Content-Type: application/json\r\n\r\n{}`);
      assert.deepEqual(statuses(answer), [403], path);
      assert.doesNotMatch(answer, /access-control-allow/i);
    }
    const upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    for (const path of ["/ws", "/mqtt"]) {
      const head = `GET ${path} HTTP/1.1\r\n${host}${foreign}${upgrade}`;
      const answer = await raw(port, `${head}Sec-WebSocket-Protocol: mqtt\r\n\r\n`, last);
      assert.notEqual(statuses(answer)[0], 101, path);
    }
  });

  await bystanders.undisturbed();
  const grown = await sluice.process.residentBytes() - before;
  assert.ok(grown < 200 * mib, `${Math.round(grown / mib)} MiB more`);
  assert.equal(sluice.process.alive, true);
});
