/**
 * A clock that wakes within a fraction of a ms. A timer of the event loop comes one to two ms late,
 * which an open loop would count as the server's latency; here a Worker that sleeps in the kernel
 * (`Atomics.wait`) gives the beat.
 *
 * @module
 */
import { type SimClock, systemClock } from "./clock.ts";

/** What Worker and clock share: cells of an `Int32Array`. */
export const metronomeCells = { beat: 0, stop: 1, count: 2 } as const;

/** Longer waits need no beat. */
export const beatWaitMaxMs = 20;

export class Metronome implements SimClock {
  readonly #cells = new Int32Array(
    new SharedArrayBuffer(metronomeCells.count * Int32Array.BYTES_PER_ELEMENT),
  );
  readonly #ended: Promise<void>;

  /** Starts the Worker; until it runs, waits fall back on timers. */
  constructor() {
    const worker = new Worker(new URL("./metronome_beat.ts", import.meta.url), { type: "module" });
    this.#ended = new Promise((resolve) => {
      worker.onmessage = () => {
        worker.terminate();
        resolve();
      };
    });
    worker.postMessage(this.#cells.buffer);
  }

  wallMs(): number {
    return systemClock.wallMs();
  }

  nowMs(): number {
    return systemClock.nowMs();
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    const dueMs = this.nowMs() + ms;
    const beat = Atomics.load(this.#cells, metronomeCells.beat);
    if (ms > beatWaitMaxMs || beat === 0) return await systemClock.sleep(ms, signal);
    while (this.nowMs() < dueMs && !signal?.aborted) {
      const seen = Atomics.load(this.#cells, metronomeCells.beat);
      const { async, value } = Atomics.waitAsync(this.#cells, metronomeCells.beat, seen, ms);
      if (async) await value;
    }
  }

  /** Ends the Worker. */
  async close(): Promise<void> {
    Atomics.store(this.#cells, metronomeCells.stop, 1);
    Atomics.notify(this.#cells, metronomeCells.stop);
    await this.#ended;
  }
}
