/**
 * From `--url` to what speaks its protocol.
 *
 * @module
 */
import { caClient, readCa } from "../ca.ts";
import { CommandError, exitCodes } from "../exit_code.ts";
import type { HttpTarget } from "./http_link.ts";
import type { LoadOptions } from "./load_options.ts";
import type { LoadTarget } from "./make_links.ts";
import type { FrameSocket, FrameSocketEvents } from "./station_link.ts";

const protocols = ["mqtt:", "mqtts:", "ws:", "wss:", "http:", "https:"];

/** @throws {CommandError} with exit code `usage` when the flags do not go together. */
export async function targetOf({ url: text, ca, token, qos }: LoadOptions): Promise<LoadTarget> {
  const url = URL.parse(text);
  if (url === null || !protocols.includes(url.protocol)) {
    throw new CommandError(
      exitCodes.usage,
      "--url must begin with mqtt://, mqtts://, ws://, wss://, http:// or https://",
    );
  }
  if (url.protocol.startsWith("mqtt")) {
    if (token !== undefined) throw usage("--token is for ws:// and http://; put it into --url");
    return mqttTarget(url, ca === undefined ? [] : [await readCa(ca)]);
  }
  if (qos !== 1) throw usage(`--qos ${qos} is for mqtt://`);
  if (url.username !== "" || url.password !== "") {
    throw usage("--url has a name and a password; use --token, from POST /login");
  }
  const client = await caClient(ca);
  if (url.protocol.startsWith("ws")) {
    if (url.pathname === "/") url.pathname = "/ws";
    return { kind: "websocket", token, connect: (events) => connectFrames(url, client, events) };
  }
  if (url.pathname === "/") url.pathname = "/api/readings";
  return { kind: "http", ...httpTarget(url, token, client) };
}

function mqttTarget(url: URL, caCerts: string[]): LoadTarget {
  const secure = url.protocol === "mqtts:";
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  const port = url.port === "" ? (secure ? 8883 : 1883) : Number(url.port);
  return {
    kind: "mqtt",
    credentials: {
      ...(url.username !== "" && { username: decodeURIComponent(url.username) }),
      ...(url.password !== "" && {
        password: new TextEncoder().encode(decodeURIComponent(url.password)),
      }),
    },
    async dial() {
      if (secure) return await Deno.connectTls({ hostname, port, caCerts });
      const socket = await Deno.connect({ hostname, port });
      socket.setNoDelay(true);
      return socket;
    },
  };
}

function connectFrames(
  url: URL,
  client: Deno.HttpClient | undefined,
  { opened, message, closed }: FrameSocketEvents,
): FrameSocket {
  const socket = new WebSocket(url, client === undefined ? {} : { client });
  socket.onopen = opened;
  socket.onmessage = ({ data }) => message(String(data));
  socket.onclose = ({ code, reason }) => closed(code, reason);
  return {
    send(text) {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    },
    close: () => socket.close(),
  };
}

function httpTarget(
  url: URL,
  token: string | undefined,
  client: Deno.HttpClient | undefined,
): HttpTarget {
  const options = client === undefined ? {} : { client };
  const headers = {
    "content-type": "application/x-ndjson",
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  return {
    async probe(signal) {
      const answer = await fetch(new URL("/healthz", url), { ...options, signal });
      await answer.body?.cancel();
    },
    async post(lines, key, signal) {
      const answer = await fetch(url, {
        ...options,
        method: "POST",
        body: lines,
        headers: { ...headers, "idempotency-key": key },
        signal,
      });
      const text = await answer.text();
      const retryAfter = answer.headers.get("retry-after");
      return {
        status: answer.status,
        retryAfterS: retryAfter === null ? undefined : Number(retryAfter),
        text,
      };
    },
  };
}

function usage(message: string): CommandError {
  return new CommandError(exitCodes.usage, message);
}
