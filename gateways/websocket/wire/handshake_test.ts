import assert from "node:assert/strict";
import { Problem } from "../../http/problem.ts";
import { handshakeAnswer, requireWebSocket } from "./handshake.ts";

const good = {
  connection: "keep-alive, Upgrade",
  upgrade: "WebSocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
  "sec-websocket-extensions": "permessage-deflate; client_max_window_bits",
};
const request = (headers: Record<string, string>, method = "GET") =>
  new Request("http://127.0.0.1/ws", { method, headers });

Deno.test("the answer is that of RFC 6455, section 1.3, and takes up no extension", () => {
  const text = new TextDecoder().decode(handshakeAnswer(request(good), "mqtt"));
  assert.equal(
    text,
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n",
  );
  assert.doesNotMatch(new TextDecoder().decode(handshakeAnswer(request(good))), /Protocol:/);
});

Deno.test("a request that is not as it must be is a problem that says what is missing", () => {
  const refusals: readonly (readonly [Record<string, string>, string, string])[] = [
    [{ "sec-websocket-version": "8" }, "GET", "upgrade-required"],
    [{ "sec-websocket-key": "short" }, "GET", "invalid-header"],
    [{ "sec-websocket-key": "" }, "GET", "invalid-header"],
    [{ connection: "close" }, "GET", "invalid-header"],
    [{}, "POST", "invalid-header"],
  ];
  for (const [headers, method, type] of refusals) {
    assert.throws(
      () => handshakeAnswer(request({ ...good, ...headers }, method)),
      (error) => error instanceof Problem && error.type === type,
      JSON.stringify(headers),
    );
  }
  assert.throws(() => requireWebSocket(request({ upgrade: "h2c" }), "here"), /here/);
  requireWebSocket(request({ upgrade: "h2c, websocket" }), "here");
});
