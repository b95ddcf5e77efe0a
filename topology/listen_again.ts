/**
 * A Worker that was started anew takes connections again. It may not be able to at once: the socket
 * of the thread before it can outlive that thread's end for a while.
 *
 * @module
 */
import type { Backoff } from "../runtime/actor.ts";
import { backoffDelayMs } from "../runtime/backoff.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";

const backoff: Backoff = { minMs: 100, maxMs: 2_000, factor: 2, jitter: 0.2, resetMs: 0 };

export interface ListenAgainOptions {
  /** Rejects when it could not. */
  readonly listen: () => Promise<unknown>;
  /** Whether it is still wanted of this Worker. */
  readonly wanted: () => boolean;
  /** Told of each try that failed. */
  readonly failed: (cause: unknown) => void;
  readonly clock?: Clock;
  /** Gives 0 ≤ x < 1. */
  readonly random?: () => number;
}

/** Tries until it can, or is not wanted any more. Never rejects. */
export async function listenAgain(
  { listen, wanted, failed, clock = systemClock, random = Math.random }: ListenAgainOptions,
): Promise<void> {
  for (let attempt = 0; wanted(); attempt++) {
    try {
      await listen();
      return;
    } catch (cause) {
      if (!wanted()) return;
      failed(cause);
    }
    const delayMs = backoffDelayMs(backoff, attempt, random);
    await new Promise<void>((resolve) => clock.setTimer(delayMs, resolve));
  }
}
