/**
 * A deadline on code that stops something: it gets its time, then life goes on without it.
 *
 * @module
 */
import type { Clock } from "./clock.ts";

/**
 * Calls `done` exactly once: when `stopped` settles, or after `deadlineMs`. `fault` gets what it
 * rejected with, and the overrun.
 */
export function settleWithin(
  clock: Clock,
  deadlineMs: number,
  stopped: Promise<void>,
  fault: (thrown: unknown) => void,
  done: () => void,
): void {
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
