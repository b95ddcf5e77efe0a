/**
 * Tries dead letters again: hands them out page by page and removes those that were taken.
 *
 * @module
 */
import type { DeadLetterLog, StoredLetter } from "./dead_letter_log.ts";

/** All letters, those of one reason, or those named. */
export interface LetterChoice {
  readonly reason?: string;
  readonly ids?: readonly string[];
}

const pageLetters = 256;
/** Of one call, so that its answer comes in time: 4,096 letters, or fewer that are large. */
const pagesMax = 16;

/**
 * Gives each chosen letter to `take` once, the oldest first and `pagesMax` pages of them at most,
 * and answers how many were taken. `take` resolves with the ids of the letters whose new fate is
 * durable: a letter that became a dead letter again is taken, too, since the new one stands for it,
 * behind all others. Letters that came after the start are left alone.
 */
export async function replayLetters(
  log: DeadLetterLog,
  choice: LetterChoice,
  take: (letters: readonly StoredLetter[]) => Promise<readonly string[]>,
): Promise<number> {
  let replayed = 0;
  if (choice.ids !== undefined) {
    // As many as a request can name; read page by page for the sake of memory.
    for (let from = 0; from < choice.ids.length; from += pageLetters) {
      const letters = await log.get(choice.ids.slice(from, from + pageLetters));
      replayed += await give(
        log,
        letters.filter(({ reason }) => choice.reason === undefined || reason === choice.reason),
        take,
      );
    }
    return replayed;
  }
  let left = log.count;
  let after: string | undefined;
  for (let pages = 0; left > 0 && pages < pagesMax; pages++) {
    const page = await log.list(Math.min(left, pageLetters), {
      ...(after === undefined ? {} : { after }),
      ...(choice.reason === undefined ? {} : { reason: choice.reason }),
    });
    replayed += await give(log, page.letters, take);
    left -= page.letters.length;
    after = page.next;
    if (after === undefined) break;
  }
  return replayed;
}

async function give(
  log: DeadLetterLog,
  letters: readonly StoredLetter[],
  take: (letters: readonly StoredLetter[]) => Promise<readonly string[]>,
): Promise<number> {
  if (letters.length === 0) return 0;
  const taken = await take(letters);
  log.remove(taken);
  return taken.length;
}
