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

/** Gives what `work` gives; `waitsIn` says what it is. */
export async function tellSlow<T>(
  waitsIn: string,
  work: Promise<T>,
  clock: Clock = systemClock,
  tell = (seconds: number): void => log.warn("the start takes long", { waitsIn, seconds }),
): Promise<T> {
  const notice = new SlowNotice(clock, slowMs, (ms) => tell(Math.round(ms / 1_000)));
  try {
    return await work;
  } finally {
    notice.clear();
  }
}
