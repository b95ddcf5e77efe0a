/**
 * What the HTTP edge says to a shard before the bytes of a WebSocket client: who that client is. It
 * goes over a socket that only this service's user may open, so it is believed.
 *
 * @module
 */
import type { Connection } from "../endpoint/link.ts";

/** The preface is as long as this always, filled up with spaces: no byte of MQTT is read with it. */
const prefaceBytes = 64;

/** `peer` is `host:port`. */
export function prefaceOf(peer: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(peer.slice(0, prefaceBytes).padEnd(prefaceBytes));
}

/** The peer. @throws {Error} when the connection ends before it is told. */
export async function readPreface(connection: Pick<Connection, "read">): Promise<string> {
  return new TextDecoder().decode(await readExactly(connection, prefaceBytes)).trimEnd();
}

/** As many bytes, and not one more. @throws {Error} when the connection ends before. */
export async function readExactly(
  connection: Pick<Connection, "read">,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const count = await connection.read(bytes.subarray(at));
    if (count === null) throw new Error(`the connection ended after ${at} of ${length} bytes`);
    at += count;
  }
  return bytes;
}
