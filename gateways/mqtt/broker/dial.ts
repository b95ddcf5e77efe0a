/**
 * Opens the byte stream to a broker: TCP, TLS (with a client certificate), or WebSocket with the
 * sub-protocol `mqtt` (MQTT 5, section 6). Whoever does not read makes the broker wait.
 *
 * @module
 */

/** Bytes both ways. One reader and one writer at a time. */
export interface ByteStream {
  /**
   * What comes while nobody reads is one chunk, of so many bytes at most. `undefined` where chunks
   * are the transport's, however small: messages of a WebSocket, records of TLS.
   */
  readonly chunkBytesMax: number | undefined;
  /** The next bytes, in a buffer that is valid until the next call; `undefined` at the end. */
  read(): Promise<Uint8Array | undefined>;
  write(bytes: Uint8Array): Promise<void>;
  close(): void;
}

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

const readBytes = 256 * 1024;

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
  switch (url.protocol) {
    case "mqtt:": {
      const connection = await Deno.connect({ hostname, port });
      connection.setNoDelay(true);
      return { ...streamOfConnection(connection), chunkBytesMax: readBytes };
    }
    case "mqtts:":
      return streamOfConnection(await Deno.connectTls({ hostname, port, ...tlsOptions(tls) }));
    default: {
      const address = new URL(url);
      address.username = address.password = "";
      return await streamOfWebSocket(address, tls);
    }
  }
}

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
    async write(bytes) {
      for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
    },
    close() {
      closeQuietly(() => connection.close());
    },
  };
}

async function streamOfWebSocket(url: URL, tls: TlsIdentity): Promise<ByteStream> {
  if (tls.cert !== undefined || tls.caCerts !== undefined) {
    throw new TypeError(
      "broker over wss: own certificates are not supported there; use mqtts, or trust the CA system-wide",
    );
  }
  const socket = new WebSocketStream(url.href, { protocols: ["mqtt"] });
  const { readable, writable } = await socket.opened;
  // Whoever reads or writes sees how it ended; `closed` only says it once more.
  socket.closed.catch(() => {});
  const reader = readable.getReader();
  const writer = writable.getWriter();
  return {
    chunkBytesMax: undefined,
    async read() {
      const { value } = await reader.read();
      return typeof value === "string" ? new TextEncoder().encode(value) : value;
    },
    write: (bytes) => writer.write(bytes),
    close() {
      socket.close();
    },
  };
}

/** The stream may have closed itself first: then there is nothing left to release. */
function closeQuietly(close: () => void): void {
  try {
    close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
