/**
 * The sockets over which the HTTP edge carries MQTT to the shards: one each, which only this user
 * may open.
 *
 * @module
 */

/** A name of a Unix socket is at most 107 bytes long; this much of it is the file's. */
const directoryBytesMax = 80;

/** See the module. */
export interface SessionSockets {
  /** Where a shard listens. */
  path(shard: number): string;
  /** Removes what was made. */
  remove(): void;
}

/** They lie in the data directory, or, when its name is too long for that, in one of their own. */
export function sessionSockets(dataDir: string): SessionSockets {
  const own = new TextEncoder().encode(dataDir).length > directoryBytesMax
    ? Deno.makeTempDirSync({ prefix: "sluice-" })
    : undefined;
  return {
    path: (shard) => `${own ?? dataDir}/sessions-${shard}.sock`,
    remove: () => {
      // What tidies up such directories may have been there before.
      if (own !== undefined) removeIfThere(own, { recursive: true });
    },
  };
}

/** Listens at such a path. A file that a killed process left there is put away. */
export function listenAtSocket(path: string): Deno.UnixListener {
  removeIfThere(path);
  const listener = Deno.listen({ transport: "unix", path });
  Deno.chmodSync(path, 0o600);
  return listener;
}

function removeIfThere(path: string, options?: Deno.RemoveOptions): void {
  try {
    Deno.removeSync(path, options);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
