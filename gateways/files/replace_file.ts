/**
 * Writes a file of the data directory that only this user may read: as a whole or not at all, so that
 * a process which ends in the midst of it leaves the one before. Throws what the disk does.
 *
 * @module
 */
export function replaceFile(path: string, text: string): void {
  const fresh = `${path}.new`;
  Deno.writeTextFileSync(fresh, text, { mode: 0o600 });
  Deno.renameSync(fresh, path);
}
