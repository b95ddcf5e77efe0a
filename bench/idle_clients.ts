/**
 * A process with many MQTT clients that connect and then say nothing: `idle_clients.ts PORT COUNT
 * [TOPICS]`. With TOPICS each subscribes to one topic of its own below that, with QoS 1.
 *
 * @module
 */
import { encodePacket } from "../gateways/mqtt/codec/packet.ts";
import { connectPacket, subscribePacket } from "./pubsub_client.ts";

const [port = "", count = "", topics = ""] = Deno.args;
const dialsAtOnce = 32;
const connections: Deno.TcpConn[] = [];
let next = 0;

async function connectSome(): Promise<void> {
  while (next < Number(count)) {
    const clientId = `idle-${Deno.pid}-${next++}`;
    const connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
    connections.push(connection);
    await connection.write(connectPacket(clientId));
    if (await answer(connection, 4) !== 0) throw new Error(`${clientId} was refused`);
    if (topics === "") continue;
    await connection.write(encodePacket(subscribePacket(`${topics}/${clientId}`, 1), 4));
    if (await answer(connection, 5) !== 1) throw new Error(`${clientId} may not subscribe`);
  }
}

/** The last byte of a CONNACK or SUBACK, which is its code. */
async function answer(connection: Deno.TcpConn, length: number): Promise<number | undefined> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const read = await connection.read(bytes.subarray(at));
    if (read === null) throw new Error("the broker closed the connection");
    at += read;
  }
  return bytes[length - 1];
}

await Promise.all(Array.from({ length: dialsAtOnce }, connectSome));
Deno.stdout.writeSync(new TextEncoder().encode("ready\n"));
// Holds the connections until it is killed.
await new Promise(() => setInterval(() => connections.length, 60_000));
