/**
 * Takes over the dead letters of shards that are no more: fewer shards than yesterday lose none of
 * yesterday's.
 *
 * @module
 */
import { parseSegmentName } from "../segment_log/segment.ts";
import { DeadLetterLog } from "./dead_letter_log.ts";
import type { DeadLetterOptions } from "./dead_letter_options.ts";

/** Of one step; large letters are fewer. */
const stepLetters = 4_096;

/**
 * Puts the letters of the log `from` behind those of `own`, removes `from`, and answers how many
 * they were. Ended by a crash or a full disk anywhere, it goes on at the next start: what is not
 * durable in `own` is still in `from`, and at most the letters of one step are in both.
 */
export async function adoptLetters(own: DeadLetterLog, from: DeadLetterOptions): Promise<number> {
  const { files, directory } = from;
  // Its bound does not count any more, and must not take what has not moved yet.
  const { log } = await DeadLetterLog.open({ ...from, bytesMax: Infinity });
  let adopted = 0;
  try {
    for (let letters; (letters = (await log.list(stepLetters)).letters).length > 0;) {
      await own.adopt(letters);
      log.remove(letters.map(({ id }) => id));
      await log.commit();
      log.committed(); // The room is there for the next step.
      adopted += letters.length;
    }
  } finally {
    log.close();
  }
  // The oldest first: what says that letters are gone lies behind them.
  for (const name of files.list(directory).files) {
    if (parseSegmentName(name) !== undefined) files.remove(`${directory}/${name}`);
  }
  files.remove(directory);
  return adopted;
}
