import assert from "node:assert/strict";
import { ManualClock } from "../../../runtime/clock.ts";
import { eventLoopTurn } from "../../../runtime/event_loop_turn.ts";
import type { Connection } from "../../mqtt/endpoint/link.ts";
import type { HttpHandler } from "../app.ts";
import { unknown } from "../callers.ts";
import { listenHttp } from "../testing/listen.ts";
import type { FrontLimits } from "./front.ts";
import { headBytesMax } from "./request_progress.ts";

const utf8 = new TextEncoder();
const get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
const yes: HttpHandler = () => Promise.resolve(new Response("yes"));

/** A client that sends what it likes, and knows what came. */
class Client implements Disposable {
  text = "";
  over = false;
  #changed = Promise.withResolvers<void>();

  private constructor(readonly connection: Deno.TcpConn) {
    this.#read();
  }

  static async connect(port: number): Promise<Client> {
    return new Client(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  async say(text: string | Uint8Array): Promise<void> {
    const bytes = typeof text === "string" ? utf8.encode(text) : text;
    for (let at = 0; at < bytes.length;) at += await this.connection.write(bytes.subarray(at));
  }

  /** Until what came is like this; the connection may end meanwhile. */
  async hears(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.text)) {
      if (this.over) throw new Error(`ended with ${this.text}`);
      await this.#changed.promise;
    }
  }

  async ended(): Promise<void> {
    while (!this.over) await this.#changed.promise;
  }

  [Symbol.dispose](): void {
    this.connection.close();
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(4_096);
    try {
      for (let n; (n = await this.connection.read(buffer)) !== null;) {
        this.text += String.fromCharCode(...buffer.subarray(0, n));
        this.#tell();
      }
    } catch { // Reset, or closed from here.
    }
    this.over = true;
    this.#tell();
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

async function withServer(
  handler: HttpHandler,
  limits: Partial<FrontLimits>,
  body: (it: {
    readonly port: number;
    /** What was sent before has been read when somebody else has had an answer. */
    readonly seen: () => Promise<void>;
    /** Moves time on until `done`, at most so many seconds. */
    readonly pass: (seconds: number, done?: () => boolean) => Promise<void>;
    readonly ends: (why: string) => number;
    readonly open: () => number;
  }) => Promise<void>,
): Promise<void> {
  const clock = new ManualClock();
  const server = listenHttp(handler, { clock, ...limits });
  try {
    await body({
      port: server.port,
      seen: async () => {
        const answer = await fetch(`http://127.0.0.1:${server.port}/a`);
        await answer.body?.cancel();
      },
      pass: async (seconds, done = () => false) => {
        for (let s = 0; s < seconds && !done(); s++) {
          clock.advance(1_000);
          for (let i = 0; i < 20; i++) await eventLoopTurn();
        }
      },
      ends: (why) => server.counters()[`sluice_http_connections_ended_total{reason="${why}"}`] ?? 0,
      open: () => server.gauges()["sluice_http_connections"] ?? 0,
    });
  } finally {
    await server.close(5_000);
  }
}

Deno.test("a head that comes slowly is 408, silence ends without a word, and both are counted", () =>
  withServer(yes, { headTimeoutMs: 5_000 }, async ({ port, seen, pass, ends }) => {
    using silent = await Client.connect(port);
    using slow = await Client.connect(port);
    // One that has had an answer has no more time for its next head than others for their first.
    using second = await Client.connect(port);
    await second.say(get);
    await second.hears(/yes/);
    await pass(4);
    for (const one of [slow, second]) await one.say("GET / HTTP/1.1\r\nX: ");
    await seen();
    await pass(20, () => silent.over && slow.over && second.over);
    await Promise.all([silent.ended(), slow.ended(), second.ended()]);
    assert.equal(silent.text, "");
    assert.match(slow.text, /^HTTP\/1\.1 408 [^]*"urn:sluice:problem:head-too-slow"[^]*\}\n$/);
    const [, length, body] = /content-length: (\d+)\r\n\r\n([^]*)$/i.exec(slow.text) ?? [];
    assert.equal(body?.length, Number(length));
    assert.match(second.text, /200 OK[^]*HTTP\/1\.1 408 /);
    assert.deepEqual([ends("silent"), ends("slow_head")], [1, 2]);
  }));

Deno.test("an answer may take its time; then the connection is idle, and ends", () => {
  const slowly = Promise.withResolvers<Response>();
  const asked = Promise.withResolvers<void>();
  const handler: HttpHandler = () => {
    asked.resolve();
    return slowly.promise;
  };
  const limits = { headTimeoutMs: 5_000, idleTimeoutMs: 9_000 };
  return withServer(handler, limits, async ({ port, pass, ends }) => {
    using client = await Client.connect(port);
    await client.say(get);
    await asked.promise;
    await pass(60);
    slowly.resolve(new Response("at last"));
    await client.hears(/at last/);
    await pass(20, () => client.over);
    await client.ended();
    assert.equal(ends("idle"), 1);
  });
});

Deno.test("an answer that does not wait for the body is the connection's last, and is heard", () =>
  withServer(
    () => Promise.resolve(new Response("not wanted", { status: 405 })),
    {},
    async ({ port, pass, ends }) => {
      using client = await Client.connect(port);
      await client.say("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
      await client.hears(/not wanted/);
      await client.say("x".repeat(10 * headBytesMax));
      await pass(10, () => client.over);
      await client.ended();
      assert.match(client.text, /^HTTP\/1\.1 405 [^]*connection: close\r\n[^]*not wanted$/i);
      assert.equal(ends("large_head"), 0, "the body is no head");
    },
  ));

Deno.test("a head without end is not gathered; one with a large body is no such head", () =>
  withServer(
    async (request) => new Response(`${(await request.arrayBuffer()).byteLength} bytes`),
    {},
    async ({ port, pass, ends }) => {
      using bomb = await Client.connect(port);
      await bomb.say(`GET / HTTP/1.1\r\nHost: x\r\nX: ${"x".repeat(headBytesMax)}`);
      await pass(10, () => bomb.over);
      await bomb.ended();
      assert.match(bomb.text, /^HTTP\/1\.1 431 [^]*"urn:sluice:problem:head-too-large"/);
      assert.equal(ends("large_head"), 1);
      using good = await Client.connect(port);
      const length = 20 * headBytesMax;
      await good.say(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`);
      await good.say("x".repeat(length));
      await good.hears(new RegExp(`${length} bytes`));
    },
  ));

/** The request with a header that makes its head of so many bytes. */
const padded = (request: string, bytes: number) =>
  request.replace(/$/m, `\r\nX: ${"x".repeat(bytes - request.length - 5)}`);

Deno.test("a head of 32 KiB is answered; one byte more is none", () =>
  withServer(yes, {}, async ({ port, pass, ends }) => {
    using client = await Client.connect(port);
    await client.say(padded(get, headBytesMax));
    await client.hears(/yes/);
    using larger = await Client.connect(port);
    await larger.say(padded(get, headBytesMax + 1));
    await pass(10, () => larger.over);
    await larger.ended();
    assert.match(larger.text, /^HTTP\/1\.1 431 /);
    assert.equal(ends("large_head"), 1);
  }));

Deno.test("who takes nothing of its answer is ended", () => {
  const asked = Promise.withResolvers<void>();
  const endless: HttpHandler = () => {
    asked.resolve();
    const pull = (controller: ReadableStreamDefaultController<Uint8Array>) =>
      controller.enqueue(new Uint8Array(64 * 1024));
    return Promise.resolve(new Response(new ReadableStream({ pull })));
  };
  return withServer(endless, { idleTimeoutMs: 5_000 }, async ({ port, pass, ends, open }) => {
    using unread = await Deno.connect({ hostname: "127.0.0.1", port });
    await unread.write(utf8.encode(get));
    await asked.promise;
    await pass(10_000, () => ends("unread") === 1);
    assert.deepEqual([ends("unread"), open()], [1, 0]);
  });
});

Deno.test("beyond the limit the oldest without a request makes room; with one it stays", () => {
  const slowly = Promise.withResolvers<Response>();
  const handler: HttpHandler = (request) =>
    request.url.endsWith("/slow") ? slowly.promise : Promise.resolve(new Response("yes"));
  return withServer(handler, { connectionsMax: 2 }, async ({ port, ends, open }) => {
    using busy = await Client.connect(port);
    await busy.say("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
    using idle = await Client.connect(port);
    await idle.say(get);
    await idle.hears(/yes/);
    using third = await Client.connect(port);
    await third.say(get);
    await third.hears(/yes/);
    await idle.ended();
    assert.deepEqual([ends("crowded"), open(), busy.over], [1, 2, false]);
    slowly.resolve(new Response("slow"));
    await busy.hears(/slow/);
  });
});

Deno.test("HTTP/2 without TLS is refused, also when its first bytes come one by one", () =>
  withServer(yes, {}, async ({ port, ends }) => {
    using client = await Client.connect(port);
    for (const letter of "PRI") await client.say(letter);
    await client.ended();
    assert.equal(ends("http2"), 1);
  }));

Deno.test("requests one after the other, in one write, and cut anywhere are answered", () =>
  withServer(yes, {}, async ({ port }) => {
    using client = await Client.connect(port);
    await client.say(get + get);
    await client.hears(/yes[^]*yes/);
    for (const letter of get) await client.say(letter);
    await client.hears(/(yes[^]*){3}/);
    await client.connection.closeWrite();
    await client.ended();
  }));

Deno.test("a connection that is taken over is its taker's, from the byte after the request", async () => {
  const taken = Promise.withResolvers<Connection>();
  const handler: HttpHandler = (request, { peer, takeOver } = unknown) => {
    if (request.url.endsWith("/a")) return Promise.resolve(new Response(`from ${peer}.`));
    const connection = takeOver?.();
    if (connection === undefined) return Promise.resolve(new Response("not so", { status: 400 }));
    taken.resolve(connection);
    return Promise.resolve(new Response("for nobody"));
  };
  await withServer(handler, { headTimeoutMs: 2_000 }, async ({ port, seen, pass, open }) => {
    using client = await Client.connect(port);
    await client.say(get); // It may have been used for requests before.
    await client.hears(/from 127\.0\.0\.1\./);
    await client.say(get.replace("/a", "/take"));
    const connection = await taken.promise;
    await connection.write(utf8.encode("hello"));
    await client.hears(/hello/);
    // The read that is under way goes on in a buffer that nobody else reads into.
    const others = await Client.connect(port);
    await others.say(get.slice(0, 10));
    await seen();
    await client.say("abcdef");
    await others.say(get.slice(10));
    await others.hears(/from 127/);
    let heard = "";
    const two = new Uint8Array(2);
    while (heard.length < 6) {
      const count = await connection.read(two);
      assert.ok(count !== null);
      heard += String.fromCharCode(...two.subarray(0, count));
    }
    assert.equal(heard, "abcdef");
    others.connection.close();
    await pass(300);
    assert.deepEqual([client.over, open()], [false, 1]);
    connection.close();
    await client.ended();
    assert.equal(open(), 0);
    assert.doesNotMatch(client.text, /for nobody/);
    // Who does not wait for the answer would have its bytes lost.
    using eager = await Client.connect(port);
    await eager.say(`${get.replace("/a", "/take")}and more`);
    await eager.hears(/not so/);
  });
});
