/**
 * The note of how many shards the spools are written by, and which of their segments devices were
 * told of when that number was last changed.
 *
 * @module
 */
import type { Files } from "../actors/segment_log/files.ts";
import { readNote, writeNoteDurably } from "../actors/segment_log/note.ts";

/** What the note says. */
export interface ToldSegments {
  readonly shards: number;
  /** Segments by their salts, which they keep when another shard takes them over. */
  readonly salts: readonly number[];
}

/** Where it is, below the data directory. */
export const toldFile = (root: string): string => `${root}/${name}`;

const name = "shards";
const form = /^shards (\d{1,6})\n((?:[0-9a-f]{1,8}\n)*)$/;

/** `undefined` when there is none, or none that is whole. Throws what the disk does. */
export async function readTold(files: Files, root: string): Promise<ToldSegments | undefined> {
  const match = form.exec(await readNote(files, root, name) ?? "");
  if (match === null) return undefined;
  const salts = match[2]!.split("\n").slice(0, -1).map((salt) => parseInt(salt, 16));
  return { shards: Number(match[1]), salts };
}

/** Durable when it returns: the note before it would be believed. Throws what the disk does. */
export async function writeTold(
  files: Files,
  root: string,
  { shards, salts }: ToldSegments,
): Promise<void> {
  const lines = [`shards ${shards}`, ...salts.map((salt) => salt.toString(16))];
  await writeNoteDurably(files, root, name, lines.map((line) => `${line}\n`).join(""));
}
