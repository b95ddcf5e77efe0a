/**
 * Lets others have their turn.
 *
 * @module
 */
import { setImmediate } from "node:timers";

/** Resolves when what the event loop has to do by now is done; takes about 1.5 µs, and no timer. */
export function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
