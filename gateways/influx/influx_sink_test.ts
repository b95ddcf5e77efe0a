import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import type { PointBatch } from "../../actors/sink.ts";
import { ManualClock } from "../../runtime/clock.ts";
import type { InfluxOptions } from "./influx_target.ts";
import { InfluxSink } from "./influx_sink.ts";

const never = new AbortController().signal;

function batch(text: string): PointBatch {
  const lines = new TextEncoder().encode(text);
  return {
    lines,
    count: 1,
    lineEnds: Uint32Array.of(lines.length),
    deviceOf: Uint32Array.of(0),
    devices: ["d"],
  };
}

interface Seen {
  readonly path: string;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** A store that answers by script, and by its last line when the script is at its end. */
async function withStore(
  script: readonly (() => Response | Promise<Response>)[],
  use: (url: string, seen: Seen[]) => Promise<void>,
): Promise<void> {
  const seen: Seen[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const url = new URL(request.url);
    const body = new Uint8Array(await request.arrayBuffer());
    const answer = script[Math.min(seen.length, script.length - 1)]!;
    seen.push({ path: url.pathname + url.search, headers: request.headers, body });
    return answer();
  });
  try {
    await use(`http://127.0.0.1:${server.addr.port}`, seen);
  } finally {
    await server.shutdown();
  }
}

async function withSink(
  options: InfluxOptions,
  use: (sink: InfluxSink) => Promise<void>,
  clock = new ManualClock(),
): Promise<void> {
  const sink = new InfluxSink(options, clock);
  try {
    await use(sink);
  } finally {
    await sink.close();
  }
  assert.equal(clock.pending, 0, "no timer is left");
}

const ok = () => new Response(null, { status: 204 });
const notFound = () => new Response("404 page not found\n", { status: 404 });

Deno.test("batches go out as one body, byte for byte, with token and precision", async () => {
  await withStore(
    [ok],
    (url, seen) =>
      withSink({ url, token: "t0", org: "o", bucket: "b" }, async (sink) => {
        const result = await sink.write([batch("m v=1 1\n"), batch("m v=2 2\nñ v=3 3\n")], never);
        assert.deepEqual(result, { kind: "stored" });
        assert.equal(seen[0]!.path, "/api/v2/write?org=o&bucket=b&precision=ns");
        assert.equal(seen[0]!.headers.get("authorization"), "Token t0");
        assert.equal(new TextDecoder().decode(seen[0]!.body), "m v=1 1\nm v=2 2\nñ v=3 3\n");
      }),
  );
});

Deno.test("gzip carries the same lines", async () => {
  await withStore([ok], (url, seen) =>
    withSink({ url, bucket: "b", gzip: "on" }, async (sink) => {
      assert.deepEqual(await sink.write([batch("m v=1 1\n")], never), { kind: "stored" });
      assert.equal(seen[0]!.headers.get("content-encoding"), "gzip");
      assert.equal(gunzipSync(seen[0]!.body).toString(), "m v=1 1\n");
    }));
});

Deno.test("a store without v2 is written through v1 from then on", async () => {
  await withStore(
    [notFound, ok, ok],
    (url, seen) =>
      withSink({ url, bucket: "b" }, async (sink) => {
        assert.deepEqual(await sink.write([batch("m v=1 1\n")], never), { kind: "stored" });
        assert.deepEqual(await sink.write([batch("m v=2 2\n")], never), { kind: "stored" });
        assert.deepEqual(seen.map((request) => request.path.slice(0, 7)), [
          "/api/v2",
          "/write?",
          "/write?",
        ]);
      }),
  );
});

Deno.test("who sends writes on elsewhere has not stored them, whatever is there", async () => {
  const elsewhere = (status: number) => () =>
    new Response(null, { status, headers: { location: "/login?next=write" } });
  const page = () => new Response("<html>Log in</html>");
  await withStore(
    [elsewhere(302), elsewhere(307), page],
    (url, seen) =>
      withSink({ url, bucket: "b" }, async (sink) => {
        for (const status of [302, 307, 200]) {
          const result = await sink.write([batch("m v=1 1\n")], never);
          assert.ok(result.kind === "misconfigured", `${status}: ${JSON.stringify(result)}`);
          assert.match(result.reason, new RegExp(`^${status}: .*influx.url`));
        }
        assert.equal(seen.length, 3, "none was followed");
      }),
  );
});

Deno.test("a server with neither API is a misconfiguration", async () => {
  await withStore([notFound], (url) =>
    withSink({ url, bucket: "b" }, async (sink) => {
      const result = await sink.write([batch("m v=1 1\n")], never);
      assert.deepEqual(result, {
        kind: "misconfigured",
        reason:
          "404: 404 page not found (it has no such API; is influx.url the address of the store?)",
      });
    }));
});

Deno.test("status, words and Retry-After of an answer reach the writer", async () => {
  const refuse = (status: number, body: BodyInit | null, headers: HeadersInit = {}) => () =>
    new Response(body, { status, headers });
  await withStore(
    [
      refuse(429, "busy", { "retry-after": "3" }),
      refuse(400, '{"error":"partial write: x dropped=1"}'),
      refuse(503, null, { "x-influxdb-error": "timeout" }),
      refuse(413, null),
    ],
    (url) =>
      withSink({ url, bucket: "b" }, async (sink) => {
        const write = () => sink.write([batch("m v=1 1\n")], never);
        assert.deepEqual(await write(), {
          kind: "retry",
          reason: "429: busy",
          retryAfterMs: 3_000,
        });
        assert.deepEqual(await write(), {
          kind: "rejected",
          reason: "400: partial write: x dropped=1",
          partial: true,
        });
        assert.deepEqual(await write(), { kind: "retry", reason: "503: timeout" });
        assert.equal((await write()).kind, "too_large");
      }),
  );
});

Deno.test("a refused connection is a retry whose reason holds no credentials", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close();
  const url = `http://me:secret@127.0.0.1:${listener.addr.port}`;
  await withSink({ url, bucket: "b", token: "hidden" }, async (sink) => {
    const result = await sink.write([batch("m v=1 1\n")], never);
    assert.ok(result.kind === "retry");
    assert.match(result.reason, /^no connection: .*refused/i);
    assert.doesNotMatch(JSON.stringify([sink.name, result]), /secret|hidden/);
    assert.equal((await sink.probe(never)).ok, false);
  });
});

Deno.test("a store that does not answer in time is a retry, and so is a write called off", async () => {
  const arrived = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<Response>();
  const clock = new ManualClock();
  const hang = () => (arrived.resolve(), answered.promise);
  await withStore([hang], (url) =>
    withSink({ url, bucket: "b", timeoutMs: 500 }, async (sink) => {
      const slow = sink.write([batch("m v=1 1\n")], never);
      await arrived.promise;
      clock.advance(500);
      assert.deepEqual(await slow, { kind: "retry", reason: "no answer within 500 ms" });
      const caller = new AbortController();
      const calledOff = sink.write([batch("m v=1 1\n")], caller.signal);
      caller.abort();
      const expected = { kind: "retry", reason: "the write was called off" };
      assert.deepEqual(await calledOff, expected);
      assert.deepEqual(await sink.write([batch("m v=1 1\n")], caller.signal), expected);
      answered.resolve(ok());
    }, clock));
});

Deno.test("the probe knows a wrong token from a store that only missed the points", async () => {
  const empty = () => Response.json({ code: "invalid", message: "no points" }, { status: 400 });
  const wrong = () => Response.json({ code: "unauthorized", message: "no" }, { status: 401 });
  await withStore([ok, empty, wrong], (url) =>
    withSink({ url, bucket: "b" }, async (sink) => {
      assert.deepEqual(await sink.probe(never), { ok: true });
      assert.deepEqual(await sink.probe(never), { ok: true });
      const { ok, reason } = await sink.probe(never);
      assert.equal(ok, false);
      assert.match(reason ?? "", /^401: no \(set influx\.token/);
    }));
});

Deno.test("of an answer that is too long the beginning is read, and then no more", async () => {
  const page = new TextEncoder().encode("too much of it. ".repeat(4_096));
  for (const [status, kind] of [[200, "misconfigured"], [400, "rejected"], [503, "retry"]]) {
    const end = Promise.withResolvers<string>();
    let pages = 0;
    const body = new ReadableStream({
      pull: (controller) => {
        if (++pages <= 500) return controller.enqueue(page);
        end.resolve("read whole");
        controller.close();
      },
      cancel: () => end.resolve("left"),
    });
    await withStore(
      [() => new Response(body, { status: Number(status) })],
      (url) =>
        withSink({ url, bucket: "b" }, async (sink) => {
          const result = await sink.write([batch("m v=1 1\n")], never);
          assert.equal(result.kind, kind);
          assert.match(JSON.stringify(result), /too much of it/);
          assert.equal(await end.promise, "left");
        }),
    );
  }
});
