/**
 * Puts dead letters back on the path of a reading: a payload goes to its device as if it had come
 * just now but with its own time of arrival, lines that the store refused go to the spool.
 *
 * @module
 */
import type { StoredLetter } from "./dead_letters/dead_letter_log.ts";
import { transports } from "./intake.ts";
import type { Ledger } from "./ledger.ts";
import { OwnedBatch } from "./owned_batch.ts";
import { entryWord, FrameWriter } from "./readings_frame.ts";
import type { CommitGroup } from "./spool/commit_group.ts";

export interface LetterReplayOptions {
  readonly shard: number;
  readonly group: CommitGroup;
  readonly ledger: Ledger;
  /** False when the batch cannot be taken now. */
  readonly ingest: (batch: OwnedBatch) => boolean;
  readonly requestCommit: () => void;
}

const recovery = transports.indexOf("recovery");
const encoder = new TextEncoder();

/** Resolves with the ids of the letters whose new fate is durable. */
export async function replayInto(
  options: LetterReplayOptions,
  letters: readonly StoredLetter[],
): Promise<string[]> {
  const fates = letters.map((letter) =>
    letter.form === "lines" ? spoolLines(options, letter) : tellDevice(options, letter)
  );
  const taken = await Promise.all(fates);
  return letters.filter((_, i) => taken[i]).map(({ id }) => id);
}

function tellDevice(options: LetterReplayOptions, letter: StoredLetter): Promise<boolean> {
  const topic = encoder.encode(letter.topic);
  const bytes = new Uint8Array(topic.length + letter.payload.length);
  bytes.set(topic);
  bytes.set(letter.payload, topic.length);
  const frame = new FrameWriter(bytes.length, 1);
  frame.arrivalMs = letter.arrivalMs;
  frame.awaited = true;
  const word = entryWord(0, 0, recovery);
  frame.add(bytes, 0, topic.length, topic.length, bytes.length, word, 0);
  return new Promise((resolve) => {
    const batch = new OwnedBatch(options.shard, 0, "spooled", frame, () => resolve(true));
    if (!options.ingest(batch)) resolve(false);
  });
}

function spoolLines(options: LetterReplayOptions, letter: StoredLetter): Promise<boolean> {
  const { group, ledger, requestCommit } = options;
  return new Promise((resolve) => {
    ledger.received(recovery);
    group.lines.append(letter.payload);
    group.add({ id: letter.topic, groupNo: 0, slot: 0 }, 0, 0);
    group.durable.push({ complete: () => resolve(true) });
    requestCommit();
  });
}
