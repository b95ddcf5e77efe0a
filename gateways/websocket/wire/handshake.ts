/**
 * The request that opens a WebSocket, and its answer (RFC 6455, section 4.2).
 *
 * @module
 */
import { createHash } from "node:crypto";
import { Problem } from "../../http/problem.ts";

const version = "13";
const keyPattern = /^[A-Za-z0-9+/]{22}==$/;
const acceptSuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** What `Sec-WebSocket-Accept` must be for a key. */
export function acceptOf(key: string): string {
  return createHash("sha1").update(key + acceptSuffix).digest("base64");
}

/** The words of a header whose value is a list, in lower case. */
function words(headers: Headers, name: string): string[] {
  return (headers.get(name) ?? "").toLowerCase().split(",").map((word) => word.trim());
}

/** @throws {Problem} `upgrade-required` with `detail` when a request asks for something else. */
export function requireWebSocket(request: Request, detail: string): void {
  if (!words(request.headers, "upgrade").includes("websocket")) {
    throw new Problem("upgrade-required", detail, {}, { upgrade: "websocket" });
  }
}

/**
 * The answer that opens the WebSocket a request asks for. Extensions are not taken up, so nothing is
 * ever compressed.
 *
 * @throws {Problem} when the request is not as it must be.
 */
export function handshakeAnswer(request: Request, protocol?: string): Uint8Array<ArrayBuffer> {
  const { headers, method } = request;
  if (headers.get("sec-websocket-version") !== version) {
    throw new Problem("upgrade-required", `the version of WebSocket here is ${version}`, {}, {
      upgrade: "websocket",
      "sec-websocket-version": version,
    });
  }
  const key = headers.get("sec-websocket-key") ?? "";
  if (method !== "GET" || !words(headers, "connection").includes("upgrade")) {
    throw new Problem("invalid-header", "a WebSocket begins with GET and Connection: Upgrade");
  }
  if (!keyPattern.test(key)) {
    throw new Problem("invalid-header", "Sec-WebSocket-Key is 16 bytes in Base64");
  }
  const lines = [
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Accept: ${acceptOf(key)}`,
    ...(protocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${protocol}`]),
    "\r\n",
  ];
  return new TextEncoder().encode(lines.join("\r\n"));
}
