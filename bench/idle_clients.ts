/**
 * A process with many MQTT clients that connect and then say nothing: `idle_clients.ts PORT COUNT`.
 *
 * @module
 */
import { encodePacket } from "../gateways/mqtt/codec/packet.ts";

const [port = "", count = ""] = Deno.args;
const dialsAtOnce = 32;
const connections: Deno.TcpConn[] = [];
let next = 0;

async function connectSome(): Promise<void> {
  while (next < Number(count)) {
    const clientId = `idle-${Deno.pid}-${next++}`;
    const connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
    connections.push(connection);
    const packet = encodePacket(
      { kind: "connect", version: 4, clean: true, keepAliveS: 0, clientId, properties: {} },
      4,
    );
    await connection.write(packet);
    const answer = new Uint8Array(4);
    await connection.read(answer);
    if (answer[3] !== 0) throw new Error(`${clientId} was refused: ${answer}`);
  }
}

await Promise.all(Array.from({ length: dialsAtOnce }, connectSome));
Deno.stdout.writeSync(new TextEncoder().encode("ready\n"));
// Holds the connections until it is killed.
await new Promise(() => setInterval(() => connections.length, 60_000));
