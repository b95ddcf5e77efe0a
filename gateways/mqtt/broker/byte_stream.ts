/**
 * The byte stream to a broker, whatever carries it.
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

/** What is needed of a `Deno.Conn`. */
export type Connection = Pick<Deno.Conn, "read" | "write" | "close">;

export const readBytes = 256 * 1024;

export async function writeAll(connection: Connection, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

/** It may have closed itself first: then there is nothing left to release. */
export function closeQuietly(connection: Connection): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
