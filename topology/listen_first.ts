/**
 * Tells Workers for the first time to take connections. One that is too busy to answer, or is being
 * started anew, is asked again; what is in the way of listening ends the start.
 *
 * @module
 */
import { logger } from "../gateways/log/log.ts";
import { AskError } from "../runtime/ask.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";
import { keepTrying } from "./keep_trying.ts";
import type { HostedShard } from "./shard_handle.ts";

const log = logger("service");

export interface ListenFirstOptions {
  readonly shard: Pick<HostedShard, "id" | "ask">;
  /** The service goes on. */
  readonly wanted: () => boolean;
  readonly clock?: Clock;
}

/** Rejects with what the Worker answers, when that is not that it listens. */
export async function listenFirst(
  { shard, wanted, clock = systemClock }: ListenFirstOptions,
): Promise<void> {
  let refused: { readonly cause: unknown } | undefined;
  await keepTrying({
    attempt: () =>
      shard.ask({ kind: "listen" }).catch((cause: unknown) => {
        if (cause instanceof AskError) throw cause;
        refused = { cause };
      }),
    wanted,
    failed: (cause) =>
      log.warn("a Worker does not listen yet; asking again", { worker: shard.id, cause }),
    clock,
  });
  if (refused !== undefined) throw refused.cause;
}
