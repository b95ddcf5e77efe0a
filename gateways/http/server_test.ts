import assert from "node:assert/strict";
import { listenHttp } from "./testing/listen.ts";

Deno.test("a server answers, and closes when its requests have ended", async () => {
  const server = listenHttp(() => Promise.resolve(new Response("yes")));
  const answer = await fetch(`http://127.0.0.1:${server.port}/`);
  assert.equal(await answer.text(), "yes");
  assert.equal(await server.close(5_000), true);
});

Deno.test("a request that does not end is answered 503 at the deadline", async () => {
  const never = Promise.withResolvers<Response>();
  const arrived = Promise.withResolvers<void>();
  const server = listenHttp(() => {
    arrived.resolve();
    return never.promise;
  });
  const answer = fetch(`http://127.0.0.1:${server.port}/`);
  await arrived.promise;
  assert.equal(await server.close(10), false);
  never.resolve(new Response());
  const cutOff = await answer;
  await cutOff.body?.cancel();
  assert.equal(cutOff.status, 503);
});
