import assert from "node:assert/strict";
import { headOf, headOfStream } from "./head.ts";

Deno.test("over the wire, HEAD has the length of what ends, and none of what does not", async () => {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) =>
      request.url.endsWith("/stream")
        ? headOfStream({ "content-type": "text/event-stream" })
        : headOf(new Response("ä and more", { status: 404 })),
  );
  const ask = async (path: string) => {
    const url = `http://127.0.0.1:${server.addr.port}${path}`;
    const answer = await fetch(url, { method: "HEAD" });
    assert.equal(await answer.text(), "");
    return answer;
  };
  const text = await ask("/text");
  assert.equal(text.status, 404);
  assert.equal(text.headers.get("content-length"), "11");
  const stream = await ask("/stream");
  assert.equal(stream.headers.get("content-type"), "text/event-stream");
  assert.equal(stream.headers.get("content-length"), null);
  await server.shutdown();
});
