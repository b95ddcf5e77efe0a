/**
 * A step of the start that takes long is told in the log while it does: nobody is to wonder.
 *
 * @module
 */
import { logger } from "../gateways/log/log.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";
import { SlowNotice } from "../runtime/slow_notice.ts";

const log = logger("service");
const slowMs = 5_000;

type Tell = (seconds: number) => void;

const tellOf = (waitsIn: string): Tell => (seconds) =>
  log.warn("the start takes long", { waitsIn, seconds });

/** Gives what `work` gives; `waitsIn` says what it is. */
export async function tellSlow<T>(
  waitsIn: string,
  work: Promise<T>,
  clock: Clock = systemClock,
  tell: Tell = tellOf(waitsIn),
): Promise<T> {
  const notice = new SlowNotice(clock, slowMs, (ms) => tell(Math.round(ms / 1_000)));
  try {
    return await work;
  } finally {
    notice.clear();
  }
}

/** The same for what holds this thread: that can be told only afterwards. */
export function tellSlowStep<T>(
  waitsIn: string,
  work: () => T,
  clock: Clock = systemClock,
  tell: Tell = tellOf(waitsIn),
): T {
  const startMs = clock.monotonic();
  try {
    return work();
  } finally {
    const ms = clock.monotonic() - startMs;
    if (ms >= slowMs) tell(Math.round(ms / 1_000));
  }
}
