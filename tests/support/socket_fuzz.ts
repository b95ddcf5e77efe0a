/**
 * Mutated packets over real sockets to a Sluice that runs.
 *
 * @module
 */
import { fuzzedStream } from "../../gateways/mqtt/testing/session_fuzz.ts";

/** How long a connection may take to be closed by the other side. */
const closeMsMax = 30_000;

/** Runs `count` connections, `atOnce` at a time; each must be closed by Sluice in the end. */
export async function fuzzSockets(
  port: number,
  seed: number,
  count: number,
  atOnce = 16,
): Promise<void> {
  let next = seed;
  const end = seed + count;
  await Promise.all(Array.from({ length: atOnce }, async () => {
    while (next < end) {
      const mine = next++;
      try {
        await once(port, mine);
      } catch (cause) {
        throw new Error(`seed ${mine}: a connection did not end well`, { cause });
      }
    }
  }));
}

async function once(port: number, seed: number): Promise<void> {
  const { bytes, random } = fuzzedStream(seed);
  using socket = await Deno.connect({ hostname: "127.0.0.1", port });
  const late = setTimeout(() => socket.close(), closeMsMax);
  try {
    const cut = random.below(bytes.length + 1);
    await written(socket, bytes.subarray(0, cut));
    await written(socket, bytes.subarray(cut));
    await socket.closeWrite();
    const sink = new Uint8Array(4_096);
    while (await socket.read(sink) !== null);
  } catch (cause) {
    // What we sent was not read before the close.
    const gone = cause instanceof Deno.errors.BrokenPipe ||
      cause instanceof Deno.errors.ConnectionReset || cause instanceof Deno.errors.NotConnected;
    if (!gone) throw cause;
  } finally {
    clearTimeout(late);
  }
}

async function written(socket: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await socket.write(bytes.subarray(at));
}
