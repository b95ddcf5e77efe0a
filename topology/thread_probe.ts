/**
 * Whether the thread of a Worker has ended, told by a listening socket that only its end closes.
 *
 * @module
 */
import { type Clock, systemClock, type Timer } from "../runtime/clock.ts";

const pollMs = 100;
/** A disk that stands still may hold a thread for so long; one that spins goes on for ever. */
const waitMs = 10_000;

type Connect = () => Promise<{ close(): void }>;

/** True once nobody listens there any more; false when somebody still does after 10 s. */
export async function socketClosed(
  connect: Connect,
  clock: Clock = systemClock,
): Promise<boolean> {
  const untilMs = clock.monotonic() + waitMs;
  for (;;) {
    if (await nobodyAnswers(connect, untilMs - clock.monotonic(), clock)) return true;
    if (clock.monotonic() >= untilMs) return false;
    await new Promise<void>((resolve) => clock.setTimer(pollMs, resolve));
  }
}

/** A full queue may drop what asks for a connection: no answer in time says that somebody listens. */
async function nobodyAnswers(connect: Connect, withinMs: number, clock: Clock): Promise<boolean> {
  let timer: Timer | undefined;
  const late = new Promise<false>((resolve) => {
    timer = clock.setTimer(Math.max(0, withinMs), () => resolve(false));
  });
  // Closed also when it comes too late. Any failure but these two says that somebody listens.
  const answer = Promise.try(connect).then((made) => made.close()).then(() => false, isNobody);
  try {
    return await Promise.race([answer, late]);
  } finally {
    timer?.clear();
  }
}

const isNobody = (cause: unknown): boolean =>
  cause instanceof Deno.errors.ConnectionRefused || cause instanceof Deno.errors.NotFound;
