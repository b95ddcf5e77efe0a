import assert from "node:assert/strict";
import { systemClock } from "../../../runtime/clock.ts";
import { DeadLetters } from "../../../runtime/dead_letters.ts";
import { Link } from "../../../runtime/remote_link.ts";
import { PublishedNames } from "../../../runtime/remote_names.ts";
import type { HttpHandler } from "../app.ts";
import { Callers } from "../callers.ts";
import { Answerer } from "./answerer.ts";
import { forwarder } from "./forwarder.ts";
import { httpName, parseForwardAsk, partBytes } from "./protocol.ts";

interface Pair extends Disposable {
  readonly handle: HttpHandler;
  readonly main: Link;
}

/** A shard that passes requests on, and a main thread that answers them with `handler`. */
function pair(handler: HttpHandler): Pair {
  const { port1, port2 } = new MessageChannel();
  const deadLetters = new DeadLetters();
  const names = new PublishedNames();
  names.publish(httpName, new Answerer(handler, systemClock), parseForwardAsk);
  const shard = new Link(port1, { peer: "host", names: new PublishedNames(), deadLetters });
  const main = new Link(port2, { peer: "shard-0", names, deadLetters });
  shard.open({});
  main.open({});
  return {
    handle: forwarder(shard, { deadlineMs: 60_000, clock: systemClock }, new Callers()),
    main,
    [Symbol.dispose]: () => {
      shard.close("done");
      main.close("done");
    },
  };
}

const url = "http://127.0.0.1/api/x?a=1";

Deno.test("a request goes to the main thread as it is, and its answer comes back", async () => {
  using shards = pair(async (request) => {
    const said = `${request.method} ${request.url} ${request.headers.get("x-a")} `;
    return new Response(said + await request.text(), { status: 418, headers: { "x-b": "2" } });
  });
  const request = new Request(url, { method: "POST", headers: { "x-a": "1" }, body: "körper" });
  const answer = await shards.handle(request);
  assert.equal(answer.status, 418);
  assert.equal(answer.headers.get("x-b"), "2");
  assert.equal(await answer.text(), `POST ${url} 1 körper`);
});

Deno.test("an answer larger than a message of the link comes in parts", async () => {
  const large = crypto.getRandomValues(new Uint8Array(60_000));
  const body = new Uint8Array(3 * 1024 * 1024 + 7);
  for (let at = 0; at < body.length; at += large.length) {
    body.set(large.subarray(0, Math.min(large.length, body.length - at)), at);
  }
  using shards = pair(() => Promise.resolve(new Response(body.slice())));
  const got = new Uint8Array(await (await shards.handle(new Request(url))).arrayBuffer());
  assert.deepEqual(got, body);
  for (const length of [0, partBytes - 1, partBytes, partBytes + 1, 2 * partBytes]) {
    using exact = pair(() => Promise.resolve(new Response(body.slice(0, length))));
    const answer = await exact.handle(new Request(url));
    assert.equal((await answer.arrayBuffer()).byteLength, length);
  }
});

Deno.test("a body that is too large, and a main thread that is gone, are problems", async () => {
  using shards = pair(() => Promise.resolve(new Response("yes")));
  const large = new Request(url, { method: "POST", body: new Uint8Array(64 * 1024 + 1) });
  const refused = await shards.handle(large);
  assert.equal(refused.status, 413);
  await refused.body?.cancel();
  shards.main.close("gone");
  const other = forwarder(
    {
      ask: () => Promise.reject(new Error("lost")),
      ref: () => ({ path: "x", tell: () => "stopped" }),
    },
    { deadlineMs: 10, clock: systemClock },
    new Callers(),
  );
  const answer = await other(new Request(url));
  assert.equal(answer.status, 503);
  assert.equal(answer.headers.get("retry-after"), "5");
  await answer.body?.cancel();
});
