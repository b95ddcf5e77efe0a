/**
 * Dead letters as the API lists them.
 *
 * @module
 */
import { type DeadLetterLog, pageBytesMax } from "../actors/dead_letters/dead_letter_log.ts";
import type { DeadLetterQuery, DeadLetterView, Page } from "../gateways/http/control.ts";

/** A page of `log`'s letters, the oldest first; or the newest ones, and no page after them. */
export async function deadLetterPage(
  log: DeadLetterLog,
  { limit, after, reason, newestFirst }: DeadLetterQuery,
): Promise<Page<DeadLetterView>> {
  const { letters, next } = newestFirst
    ? { letters: await log.newest(limit), next: undefined }
    : await log.list(limit, {
      ...(after === undefined ? {} : { after }),
      ...(reason === undefined ? {} : { reason }),
    });
  const items = letters.map(({ id, topic, payload, arrivalMs, reason, detail, transport }) => ({
    id,
    topic,
    payload: payload.subarray(0, pageBytesMax), // A larger one would not fit into an answer.
    arrivedMs: arrivalMs,
    reason,
    detail,
    transport,
  }));
  return next === undefined ? { items } : { items, next };
}
