/**
 * How many clients can connect in a second: dialled, CONNECT, CONNACK, closed.
 *
 * @module
 */
import { connectPacket } from "./pubsub_client.ts";

const dialsAtOnce = 32;
const accepted = 0;

let ids = 0;

/** Connections a second over so many of them. */
export async function connectRate(port: number, count: number): Promise<number> {
  const packets = Array.from({ length: count }, () => connectPacket(`connect-${ids++}`));
  let next = 0;
  const some = async () => {
    const answer = new Uint8Array(4);
    while (next < count) {
      const packet = packets[next++]!;
      using connection = await Deno.connect({ hostname: "127.0.0.1", port });
      await connection.write(packet);
      for (let at = 0; at < answer.length;) {
        const read = await connection.read(answer.subarray(at));
        if (read === null) throw new Error("the broker closed the connection before CONNACK");
        at += read;
      }
      if (answer[3] !== accepted) throw new Error(`the broker refused: ${answer}`);
    }
  };
  const startMs = performance.now();
  await Promise.all(Array.from({ length: dialsAtOnce }, some));
  return count / (performance.now() - startMs) * 1_000;
}
