/**
 * Whether the thread of a Worker has ended, told by a listening socket that only its end closes.
 *
 * @module
 */
import { type Clock, systemClock } from "../runtime/clock.ts";

const pollMs = 100;
/** A disk that stands still may hold a thread for so long; one that spins goes on for ever. */
const waitMs = 10_000;

/** True once nobody listens there any more; false when somebody still does after 10 s. */
export async function socketClosed(
  connect: () => Promise<{ close(): void }>,
  clock: Clock = systemClock,
): Promise<boolean> {
  const untilMs = clock.monotonic() + waitMs;
  for (;;) {
    try {
      (await connect()).close();
    } catch (cause) {
      // Anything else, such as a queue of connections that is full, says that somebody listens.
      if (isNobody(cause)) return true;
    }
    if (clock.monotonic() >= untilMs) return false;
    await new Promise<void>((resolve) => clock.setTimer(pollMs, resolve));
  }
}

const isNobody = (cause: unknown): boolean =>
  cause instanceof Deno.errors.ConnectionRefused || cause instanceof Deno.errors.NotFound;
