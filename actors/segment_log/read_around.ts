/**
 * Reads past what the disk cannot read: one bad sector costs what is in it, not all that is behind.
 *
 * @module
 */
import { messageOf } from "../../runtime/message_of.ts";
import { type LogFile, readFully } from "./files.ts";

/** A disk loses so much at a time, or a part of it. */
const stepBytes = 4_096;

/**
 * Fills `into` from `at`, as far as the file goes, with zeros where the disk cannot read. Rejects,
 * naming the file, when its beginning cannot be read either: the disk may be away, and come back.
 */
export async function readAround(
  file: LogFile,
  into: Uint8Array,
  at: number,
): Promise<{ filled: number; unreadableBytes: number }> {
  try {
    return { filled: await readFully(file, into, at), unreadableBytes: 0 };
  } catch (cause) {
    if (!isUnreadable(cause)) throw named(file, cause);
    return await readBySteps(file, into, at, cause);
  }
}

async function readBySteps(file: LogFile, into: Uint8Array, at: number, failure: unknown) {
  let filled = 0;
  let unreadableBytes = 0;
  while (filled < into.length) {
    const here = at + filled;
    const step = into.subarray(filled, filled + stepBytes - here % stepBytes);
    const count = await readStep(file, step, here);
    if (count === undefined) unreadableBytes += step.fill(0).length;
    filled += count ?? step.length;
    if (count !== undefined && count < step.length) break; // The end.
  }
  if (unreadableBytes === filled && !(await canReadBefore(file, at))) throw named(file, failure);
  return { filled, unreadableBytes };
}

async function canReadBefore(file: LogFile, at: number): Promise<boolean> {
  return at > 0 && await readStep(file, new Uint8Array(Math.min(at, stepBytes)), 0) !== undefined;
}

async function readStep(file: LogFile, into: Uint8Array, at: number): Promise<number | undefined> {
  try {
    return await readFully(file, into, at);
  } catch (cause) {
    if (isUnreadable(cause)) return undefined;
    throw named(file, cause);
  }
}

function isUnreadable(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && cause.code === "EIO";
}

function named({ path }: LogFile, cause: unknown): Error {
  return new Error(`Cannot read ${path}: ${messageOf(cause)}`, { cause });
}
