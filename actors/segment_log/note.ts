/**
 * A small text file beside a log, replaced as a whole: whatever ends the process in the midst of it
 * leaves the one before.
 *
 * @module
 */
import { type Files, type LogFile, readFully } from "./files.ts";

/** What the note of that name says; `undefined` when there is none. Rejects with what the disk does. */
export async function readNote(
  files: Files,
  directory: string,
  name: string,
): Promise<string | undefined> {
  if (!files.list(directory).files.includes(name)) return undefined;
  const file = files.open(`${directory}/${name}`);
  try {
    const bytes = new Uint8Array(file.openedBytes);
    const length = await readFully(file, bytes, 0);
    return new TextDecoder().decode(bytes.subarray(0, length));
  } finally {
    file.close();
  }
}

/** After a loss of power the note may be the one before, or torn. Throws what the disk does. */
export function writeNote(files: Files, directory: string, name: string, text: string): void {
  const { file, path } = writeBeside(files, directory, name, text);
  file.close();
  files.rename(path, `${directory}/${name}`);
}

/** The same, and on the disk when the promise resolves. */
export async function writeNoteDurably(
  files: Files,
  directory: string,
  name: string,
  text: string,
): Promise<void> {
  const { file, path } = writeBeside(files, directory, name, text);
  try {
    await file.sync();
  } finally {
    file.close();
  }
  files.rename(path, `${directory}/${name}`);
  await files.syncDirectory(directory);
}

/** What an earlier try left is overwritten. */
function writeBeside(
  files: Files,
  directory: string,
  name: string,
  text: string,
): { file: LogFile; path: string } {
  const path = `${directory}/${name}.new`;
  if (files.list(directory).files.includes(`${name}.new`)) files.remove(path);
  const bytes = new TextEncoder().encode(text);
  const file = files.create(path);
  try {
    if (file.write(bytes, 0) < bytes.length) throw new Error(`Cannot write ${path} whole`);
  } catch (cause) {
    file.close();
    throw cause;
  }
  return { file, path };
}
