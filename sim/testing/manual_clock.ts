/**
 * A clock that moves only when told to.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import type { SimClock } from "../clock.ts";

export class ManualClock implements SimClock {
  #nowMs = 0;
  readonly #wallStartMs: number;
  readonly #waiting = new Set<{ readonly dueMs: number; readonly fire: () => void }>();

  constructor(wallStartMs = 1_700_000_000_000) {
    this.#wallStartMs = wallStartMs;
  }

  wallMs(): number {
    return this.#wallStartMs + this.#nowMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const wait = { dueMs: this.#nowMs + Math.max(0, ms), fire: resolve };
      this.#waiting.add(wait);
      signal?.addEventListener("abort", () => {
        this.#waiting.delete(wait);
        resolve();
      }, { once: true });
    });
  }

  /** Moves time from wait to wait until `promise` is settled, letting everything else run between. */
  async drive<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    promise.then(() => settled = true, () => settled = true);
    for (;;) {
      await new Promise<void>((resolve) => setImmediate(resolve)); // A turn of the event loop.
      if (settled) return await promise;
      const [first, ...others] = this.#waiting;
      if (first === undefined) continue;
      const next = others.reduce((a, b) => b.dueMs < a.dueMs ? b : a, first);
      this.#waiting.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.fire();
    }
  }
}
