/**
 * The note of how many shards the spools are written by, and which of their segments devices were
 * told of when that number was last changed.
 *
 * @module
 */
import { type Files, readFully } from "../actors/segment_log/files.ts";

/** What the note says. */
export interface ToldSegments {
  readonly shards: number;
  /** Segments by their salts, which they keep when another shard takes them over. */
  readonly salts: readonly number[];
}

/** Where it is, below the data directory. */
export const toldFile = (root: string): string => `${root}/shards`;

const form = /^shards (\d{1,6})\n((?:[0-9a-f]{1,8}\n)*)$/;

/** `undefined` when there is none, or none that is whole. Throws what the disk does. */
export async function readTold(files: Files, root: string): Promise<ToldSegments | undefined> {
  if (!files.list(root).files.includes("shards")) return undefined;
  const file = files.open(toldFile(root));
  try {
    const bytes = new Uint8Array(file.openedBytes);
    const length = await readFully(file, bytes, 0);
    const match = form.exec(new TextDecoder().decode(bytes.subarray(0, length)));
    if (match === null) return undefined;
    const salts = match[2]!.split("\n").slice(0, -1).map((salt) => parseInt(salt, 16));
    return { shards: Number(match[1]), salts };
  } finally {
    file.close();
  }
}

/** Durable when it returns: the note before it would be believed. Throws what the disk does. */
export async function writeTold(
  files: Files,
  root: string,
  { shards, salts }: ToldSegments,
): Promise<void> {
  const fresh = `${toldFile(root)}.new`;
  if (files.list(root).files.includes("shards.new")) files.remove(fresh);
  const lines = [`shards ${shards}`, ...salts.map((salt) => salt.toString(16))];
  const text = new TextEncoder().encode(lines.map((line) => `${line}\n`).join(""));
  const file = files.create(fresh);
  try {
    if (file.write(text, 0) < text.length) throw new Error(`Cannot write ${fresh} whole`);
    await file.sync();
  } finally {
    file.close();
  }
  files.rename(fresh, toldFile(root));
  await files.syncDirectory(root);
}
