/**
 * Asks something of a Worker again until it has done it, ever less often: it may not be able to at
 * once.
 *
 * @module
 */
import type { Backoff } from "../runtime/actor.ts";
import { backoffDelayMs } from "../runtime/backoff.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";

const backoff: Backoff = { minMs: 100, maxMs: 2_000, factor: 2, jitter: 0.2, resetMs: 0 };

export interface KeepTryingOptions {
  /** Rejects when it could not. */
  readonly attempt: () => Promise<unknown>;
  /** Whether it is still wanted of this Worker. */
  readonly wanted: () => boolean;
  /** Told of each try that failed. */
  readonly failed: (cause: unknown) => void;
  readonly clock?: Clock;
  /** Gives 0 ≤ x < 1. */
  readonly random?: () => number;
}

/** Tries until it can, or is not wanted any more. Never rejects. */
export async function keepTrying(
  { attempt, wanted, failed, clock = systemClock, random = Math.random }: KeepTryingOptions,
): Promise<void> {
  for (let tries = 0; wanted(); tries++) {
    try {
      await attempt();
      return;
    } catch (cause) {
      if (!wanted()) return;
      failed(cause);
    }
    const delayMs = backoffDelayMs(backoff, tries, random);
    await new Promise<void>((resolve) => clock.setTimer(delayMs, resolve));
  }
}
