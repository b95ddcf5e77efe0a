/**
 * MQTT over WebSocket (MQTT 5 §6) in front of a broker that speaks TCP only.
 *
 * @module
 */

/** Passes bytes between WebSockets on a free loopback port and `port`, while `body` runs. */
export async function withWebSocketBridge(
  port: number,
  body: (url: string) => Promise<void>,
): Promise<void> {
  const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  const bridges: Promise<void>[] = [];
  const server = Deno.serve(options, async (request) => {
    const socket = await Deno.connect({ hostname: "127.0.0.1", port });
    const upgraded = Deno.upgradeWebSocket(request, { protocol: "mqtt" });
    bridges.push(bridge(upgraded.socket, socket));
    return upgraded.response;
  });
  try {
    await body(`ws://127.0.0.1:${server.addr.port}`);
    await Promise.all(bridges);
  } finally {
    await server.shutdown();
  }
}

/** Resolves when both ends are closed; rejects when a byte could not be passed on. */
async function bridge(web: WebSocket, tcp: Deno.TcpConn): Promise<void> {
  web.binaryType = "arraybuffer";
  const opened = new Promise((resolve) => web.onopen = resolve);
  let writes: Promise<unknown> = opened;
  web.onmessage = ({ data }) => {
    if (!(data instanceof ArrayBuffer)) throw new TypeError("MQTT is binary [MQTT-6.0.0-1]");
    writes = writes.then(() => tcp.write(new Uint8Array(data)));
  };
  const closed = new Promise<void>((resolve) => {
    web.onclose = () => {
      writes = writes.then(() => tcp.closeWrite());
      resolve();
    };
  });
  await opened;
  const buffer = new Uint8Array(16_384);
  for (;;) {
    const count = await tcp.read(buffer);
    if (count === null) break;
    web.send(buffer.slice(0, count));
  }
  web.close();
  await closed;
  await writes;
  tcp.close();
}
