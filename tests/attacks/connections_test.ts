/**
 * Connections to the HTTP port that never come to a request: silent ones, slow and endless heads,
 * and ends that are closed by half.
 *
 * @module
 */
import assert from "node:assert/strict";
import { getText, metrics, startSluice, until } from "../support/sluice.ts";

const mib = 1024 * 1024;
const utf8 = new TextEncoder();
const headTimeoutMs = 3_000;

/** Opens many, some at a time. */
async function connect(port: number, count: number): Promise<Deno.TcpConn[]> {
  const open: Deno.TcpConn[] = [];
  while (open.length < count) {
    const some = Array.from(
      { length: Math.min(250, count - open.length) },
      () => Deno.connect({ hostname: "127.0.0.1", port }),
    );
    open.push(...await Promise.all(some));
  }
  return open;
}

/** All that comes until the other end closes. */
async function heard(connection: Deno.TcpConn): Promise<string> {
  const buffer = new Uint8Array(4_096);
  let text = "";
  try {
    for (let n; (n = await connection.read(buffer)) !== null;) {
      text += new TextDecoder().decode(buffer.subarray(0, n));
    }
  } catch (cause) {
    if (!(cause instanceof Deno.errors.ConnectionReset)) throw cause;
  }
  return text;
}

async function write(connection: Deno.TcpConn, text: string): Promise<void> {
  const bytes = utf8.encode(text);
  try {
    for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
  } catch (cause) {
    const gone = cause instanceof Deno.errors.BrokenPipe ||
      cause instanceof Deno.errors.ConnectionReset;
    if (!gone) throw cause;
  }
}

Deno.test("connections without a request cost little, are ended, and keep nobody out", async (t) => {
  await using sluice = await startSluice({
    config: { shards: 1 },
    env: { SLUICE_HTTP_HEAD_TIMEOUT_MS: `${headTimeoutMs}` },
  });
  const { httpUrl, process: { port } } = sluice;
  const before = await sluice.process.residentBytes();
  const bounded = async (mibMax: number): Promise<void> => {
    const grown = await sluice.process.residentBytes() - before;
    assert.ok(grown < mibMax * mib, `${Math.round(grown / mib)} MiB more`);
  };
  const ended = async (reason: string, count: number): Promise<void> => {
    await until(`${count} are ended: ${reason}`, async () => {
      const sum = await metrics(httpUrl);
      return sum("sluice_http_connections_ended_total", `reason="${reason}"`) >= count;
    });
  };

  await t.step("5,000 that say nothing, and 500 heads that do not come to their end", async () => {
    const [silent, slow] = [await connect(port, 5_000), await connect(port, 500)];
    try {
      await Promise.all(
        slow.map((one) => write(one, "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ")),
      );
      assert.equal((await getText(`${httpUrl}/healthz`)).ok, true);
      await bounded(150);
      const answers = await Promise.all(slow.map(heard));
      assert.deepEqual(answers.filter((answer) => !answer.startsWith("HTTP/1.1 408 ")), []);
      await ended("slow_head", 500);
      await ended("silent", 5_000);
      await until("all are gone", async () => {
        return (await metrics(httpUrl))("sluice_http_connections") < 10;
      });
    } finally {
      for (const connection of [...silent, ...slow]) connection.close();
    }
  });

  await t.step("200 heads of a megabyte", async () => {
    const bombs = await connect(port, 200);
    try {
      const line = `X: ${"x".repeat(1_000)}\r\n`;
      const writes = bombs.map((one) =>
        write(one, `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n${line.repeat(1_000)}`)
      );
      assert.equal((await getText(`${httpUrl}/healthz`)).ok, true);
      await Promise.all([...writes, ...bombs.map(heard)]);
      await bounded(150);
    } finally {
      for (const connection of bombs) connection.close();
    }
  });

  await t.step("a connection that is closed by half in a head is over", async () => {
    const [half] = await connect(port, 1);
    assert.ok(half !== undefined);
    await write(half, "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX");
    await half.closeWrite();
    assert.doesNotMatch(await heard(half), /408/);
    half.close();
  });
  assert.equal(sluice.process.alive, true);
});
