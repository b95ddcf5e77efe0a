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

/**
 * Gives each chosen letter to `take` once and answers how many were taken. `take` resolves with the
 * ids of the letters whose new fate is durable: a letter that became a dead letter again is taken,
 * too, since the new one stands for it. Letters that came after the start are left alone.
 */
export async function replayLetters(
  log: DeadLetterLog,
  choice: LetterChoice,
  take: (letters: readonly StoredLetter[]) => Promise<readonly string[]>,
): Promise<number> {
  if (choice.ids !== undefined) {
    const letters = await log.get(choice.ids);
    return await give(
      log,
      letters.filter(({ reason }) => choice.reason === undefined || reason === choice.reason),
      take,
    );
  }
  let replayed = 0;
  let left = log.count;
  let after: string | undefined;
  while (left > 0) {
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
