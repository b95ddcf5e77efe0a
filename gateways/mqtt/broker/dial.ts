/**
 * Opens the byte stream to a broker: TCP, TLS (with a client certificate), or WebSocket with the
 * sub-protocol `mqtt` (MQTT 5, section 6). Whoever does not read makes the broker wait.
 *
 * @module
 */
import { systemClock } from "../../../runtime/clock.ts";
import { type ByteStream, closeQuietly, readBytes, writeAll } from "./byte_stream.ts";
import { openWebSocket } from "./web_socket.ts";

/** PEM texts. `caCerts` are trusted beside the system's. */
export interface TlsIdentity {
  readonly caCerts?: readonly string[];
  readonly cert?: string;
  readonly key?: string;
}

/** Default port per scheme of a broker's URL. */
export const brokerPorts: Readonly<Record<string, number>> = {
  "mqtt:": 1883,
  "mqtts:": 8883,
  "ws:": 80,
  "wss:": 443,
};

/**
 * @throws {TypeError} when the scheme is none of {@linkcode brokerPorts}.
 * @throws what Deno throws when the host cannot be reached.
 */
export async function dial(url: URL, tls: TlsIdentity): Promise<ByteStream> {
  const port = url.port === "" ? brokerPorts[url.protocol] : Number(url.port);
  if (port === undefined) {
    throw new TypeError(`broker URL ${url.protocol}//: use mqtt, mqtts, ws or wss`);
  }
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  const webSocket = { url, clock: systemClock, random };
  switch (url.protocol) {
    case "mqtts:":
      return streamOfConnection(await Deno.connectTls({ hostname, port, ...tlsOptions(tls) }));
    case "wss:": {
      const options = { hostname, port, alpnProtocols: ["http/1.1"], ...tlsOptions(tls) };
      return await openWebSocket(await Deno.connectTls(options), webSocket);
    }
    default: {
      const connection = await Deno.connect({ hostname, port });
      connection.setNoDelay(true);
      return url.protocol === "ws:"
        ? await openWebSocket(connection, webSocket)
        : { ...streamOfConnection(connection), chunkBytesMax: readBytes };
    }
  }
}

const random = (count: number): Uint8Array<ArrayBuffer> =>
  crypto.getRandomValues(new Uint8Array(count));

function tlsOptions(tls: TlsIdentity): { caCerts?: string[]; cert?: string; key?: string } {
  return {
    ...(tls.caCerts === undefined ? {} : { caCerts: [...tls.caCerts] }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
  };
}

function streamOfConnection(connection: Deno.Conn): ByteStream {
  const buffer = new Uint8Array(readBytes);
  return {
    chunkBytesMax: undefined,
    async read() {
      const count = await connection.read(buffer);
      return count === null ? undefined : buffer.subarray(0, count);
    },
    write: (bytes) => writeAll(connection, bytes),
    close: () => closeQuietly(connection),
  };
}
