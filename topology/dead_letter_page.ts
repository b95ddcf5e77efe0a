/**
 * Dead letters as the API lists them.
 *
 * @module
 */
import { type DeadLetterLog, pageBytesMax } from "../actors/dead_letters/dead_letter_log.ts";
import type { DeadLetterQuery, DeadLetterView, Page } from "../gateways/http/control.ts";

/** A page of `log`'s letters, the oldest first. */
export async function deadLetterPage(
  log: DeadLetterLog,
  { limit, after, reason }: DeadLetterQuery,
): Promise<Page<DeadLetterView>> {
  const { letters, next } = await log.list(limit, {
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
