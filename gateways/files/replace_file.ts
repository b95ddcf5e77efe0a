/**
 * Writes a file of the data directory that only this user may read: as a whole or not at all. What
 * ends in the midst of it, the process or the machine's power, leaves the one before. Throws what the
 * disk does.
 *
 * @module
 */
export function replaceFile(path: string, text: string): void {
  const fresh = `${path}.new`;
  {
    using file = Deno.openSync(fresh, { write: true, create: true, truncate: true, mode: 0o600 });
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
    file.syncDataSync(); // Else the name could be on the disk before what it names.
  }
  Deno.renameSync(fresh, path);
}
