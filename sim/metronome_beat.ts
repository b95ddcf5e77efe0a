/**
 * The metronome's Worker: counts ms in shared memory and wakes who waits for the next one.
 *
 * @module
 */
import { metronomeCells } from "./metronome.ts";

const beatMs = 1;

self.onmessage = ({ data }: MessageEvent<unknown>) => {
  if (!(data instanceof SharedArrayBuffer)) throw new TypeError("Expected shared memory");
  const cells = new Int32Array(data);
  let nextMs = performance.now();
  while (Atomics.load(cells, metronomeCells.stop) === 0) {
    nextMs = Math.max(nextMs + beatMs, performance.now());
    Atomics.wait(cells, metronomeCells.stop, 0, nextMs - performance.now());
    Atomics.add(cells, metronomeCells.beat, 1);
    Atomics.notify(cells, metronomeCells.beat);
  }
  self.postMessage("stopped");
};
