/**
 * Time as a parameter, so that tests own it.
 *
 * @module
 */

/** Wall time, monotonic time and waiting, all in ms. */
export interface SimClock {
  /** Since the epoch. */
  wallMs(): number;
  /** Never goes back; only differences mean something. */
  nowMs(): number;
  /** Resolves after `ms`, or at once when `signal` aborts. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The machine's own clock. */
export const systemClock: SimClock = {
  wallMs: () => Date.now(),
  nowMs: () => performance.now(),
  sleep(ms, signal) {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const end = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal?.addEventListener("abort", end);
    });
  },
};
