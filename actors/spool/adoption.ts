/**
 * Takes over the spools of shards that are no more, so that fewer shards than yesterday lose
 * nothing of yesterday.
 *
 * @module
 */
import type { Files } from "../segment_log/files.ts";
import { parseSegmentName, segmentName } from "../segment_log/segment.ts";

/**
 * Moves the segments of `from` behind those of `to` and removes `from`. Ended by a crash anywhere,
 * it goes on at the next start. New numbers are at least `firstNumber`.
 */
export async function adoptSegments(
  files: Files,
  from: string,
  to: string,
  firstNumber: number,
): Promise<void> {
  const numbers = files.list(to).files.map((name) => parseSegmentName(name)?.number ?? 0);
  let next = Math.max(firstNumber, ...numbers.map((number) => number + 1));
  const { files: names } = files.list(from);
  for (const name of names) {
    const segment = parseSegmentName(name);
    if (segment !== undefined) {
      move(files, `${from}/${name}`, `${to}/${segmentName(next++, segment.salt)}`);
    }
  }
  await files.syncDirectory(to);
  for (const name of ["checkpoint", "checkpoint.new"]) {
    if (names.includes(name)) files.remove(`${from}/${name}`);
  }
  files.remove(from);
}

function move(files: Files, from: string, to: string): void {
  try {
    files.rename(from, to);
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "EXDEV")) throw cause;
    throw new Error(
      `Cannot take over ${from} as ${to}: they are on different file systems. Put the directory ` +
        `itself where the link to it is, or start with as many shards as before`,
      { cause },
    );
  }
}
