/**
 * Says in the log that there are dead letters: the first at once, then at most once a minute how
 * many more came. What each of them is, the API tells; a log that had them all would be one more
 * queue without a limit.
 *
 * @module
 */
import type { Letter } from "../actors/dead_letters/letter.ts";
import { logger } from "../gateways/log/log.ts";
import type { Clock } from "../runtime/clock.ts";

const log = logger("readings");
const everyMs = 60_000;

/** What to call with each letter. */
export function letterNotice(clock: Clock): (letter: Letter) => void {
  let untold = 0;
  let notBeforeMs = -Infinity;
  return ({ topic, reason }) => {
    untold++;
    const nowMs = clock.monotonic();
    if (nowMs < notBeforeMs) return;
    const fields = { letters: untold, topic, reason };
    log.warn(
      "readings became dead letters; GET /api/dead-letters and the dashboard show them",
      fields,
    );
    untold = 0;
    notBeforeMs = nowMs + everyMs;
  };
}
