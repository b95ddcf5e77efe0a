/**
 * Takes a shard whose Worker is up, for the first time or anew, into the service: its books go on with
 * what it found in the spool, and it takes connections.
 *
 * @module
 */
import { logger } from "../gateways/log/log.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";
import { keepTrying } from "./keep_trying.ts";
import type { HostedShard } from "./shard_handle.ts";

const log = logger("service");

export interface ReopenOptions {
  readonly shard: Pick<HostedShard, "id" | "ask"> & { readonly books: Reopenable };
  /** The Worker has not died meanwhile: its successor is reopened by itself. */
  readonly current: () => boolean;
  /** It is to take connections; at the first start it is told to with all others. */
  readonly listening: () => boolean;
  readonly clock?: Clock;
}

type Reopenable = Pick<HostedShard["books"], "reopened">;

/** Each step is tried until it is done: a shard that starts may be too busy to answer. Never rejects. */
export async function reopenShard(
  { shard, current, listening, clock = systemClock }: ReopenOptions,
): Promise<void> {
  const failed = (cause: unknown) =>
    log.warn("a Worker does not go on yet; trying again", { worker: shard.id, cause });
  await keepTrying({
    attempt: async () => {
      const recovered = await shard.ask({ kind: "recovered" });
      if (current() && typeof recovered === "number") shard.books.reopened(recovered);
    },
    wanted: current,
    failed,
    clock,
  });
  await keepTrying({
    // The socket of the thread before it can outlive that thread's end for a while.
    attempt: () => shard.ask({ kind: "listen" }),
    wanted: () => current() && listening(),
    failed,
    clock,
  });
}
