/**
 * How long a good client takes to come in, over MQTT and over WebSocket, while thousands of
 * connections to the same port are open and say nothing.
 *
 * @module
 */
import { startSluice } from "../tests/support/sluice.ts";
import { raiseOpenFiles } from "./client_process.ts";
import { type BenchOptions, type Figure, type Measure, median } from "./measure.ts";
import { connectPacket, PubSubClient } from "./pubsub_client.ts";

/** So long, in ms, that no silent one is ended before the last good one is in. */
const patience = `${120_000}`;
const env = { SLUICE_MQTT_CONNECT_TIMEOUT_MS: patience, SLUICE_HTTP_HEAD_TIMEOUT_MS: patience };
const dialsAtOnce = 250;
const goodClients = 100;

async function run({ quick, say }: BenchOptions): Promise<Figure[]> {
  const count = quick ? 1_000 : 5_000;
  await using sluice = await startSluice({ env });
  await raiseOpenFiles(sluice.process.pid);
  const ways = [
    { name: "MQTT", port: sluice.mqttPort, connect: overTcp },
    { name: "MQTT over WebSocket", port: sluice.process.port, connect: overWebSocket },
  ];
  const figures: Figure[] = [];
  for (const { name, port, connect } of ways) {
    using _silent = await silentConnections(port, count);
    const times: number[] = [];
    for (let i = 0; i < goodClients; i++) {
      const startMs = performance.now();
      await connect(port, `good-${name}-${i}`);
      times.push(performance.now() - startMs);
    }
    const detail = `median ${median(times).toFixed(1)} ms of ${goodClients}`;
    say(`${name}: ${Math.max(...times).toFixed(1)} ms at most, ${detail}`);
    figures.push({
      name: `${
        count.toLocaleString("en")
      } silent connections: dialled to CONNACK, ${name}, slowest`,
      value: Math.max(...times) / 1_000,
      unit: "s",
      target: { atMost: 1 },
      detail,
    });
  }
  return figures;
}

async function silentConnections(port: number, count: number): Promise<Disposable> {
  const open: Deno.TcpConn[] = [];
  while (open.length < count) {
    const some = Math.min(dialsAtOnce, count - open.length);
    const dial = () => Deno.connect({ hostname: "127.0.0.1", port });
    open.push(...await Promise.all(Array.from({ length: some }, dial)));
  }
  return {
    [Symbol.dispose]: () => {
      for (const connection of open) connection.close();
    },
  };
}

async function overTcp(port: number, clientId: string): Promise<void> {
  using _client = await PubSubClient.connect(port, clientId);
}

async function overWebSocket(port: number, clientId: string): Promise<void> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/mqtt`, "mqtt");
  socket.binaryType = "arraybuffer";
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.onopen = () => socket.send(connectPacket(clientId));
  socket.onmessage = ({ data }) => {
    const [kind, , , code] = new Uint8Array(data);
    if (kind === 0x20 && code === 0) resolve();
    else reject(new Error(`${clientId} was refused: ${kind} ${code}`));
  };
  socket.onclose = () => reject(new Error(`${clientId}: the connection ended before CONNACK`));
  try {
    await promise;
  } finally {
    socket.close();
  }
}

export const silent: Measure = { name: "silent", title: "silent connections", run };
