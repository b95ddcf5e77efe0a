/**
 * A deadline on code that stops something: it gets its time, then life goes on without it.
 *
 * @module
 */
import type { Clock } from "./clock.ts";

/**
 * Calls `stop`, and `done` exactly once: at once when `stop` gives no promise, else when that
 * settles, or after `deadlineMs`. `fault` gets what it threw or rejected with, and the overrun.
 */
export function stopWithin(
  clock: Clock,
  deadlineMs: number,
  stop: () => void | Promise<void>,
  fault: (thrown: unknown) => void,
  done: () => void,
): void {
  let stopped: void | Promise<void> = undefined;
  try {
    stopped = stop();
  } catch (thrown) {
    fault(thrown);
  }
  // An actor in JavaScript may give anything.
  if (!(stopped instanceof Promise)) return done();
  let open = true;
  const close = () => {
    if (!open) return;
    open = false;
    timer.clear();
    done();
  };
  const timer = clock.setTimer(deadlineMs, () => {
    fault(new Error(`It did not stop within ${deadlineMs} ms`));
    close();
  });
  stopped.then(close, (thrown: unknown) => {
    fault(thrown);
    close();
  });
}
