import assert from "node:assert/strict";
import type { SupervisionSpec } from "./actor.ts";
import { WorkerRestarts, workerSupervisionDefault } from "./worker_restarts.ts";

const spec: SupervisionSpec = {
  strategy: "one_for_one",
  intensity: 3,
  periodMs: 10_000,
  backoff: { minMs: 100, maxMs: 300, factor: 2, jitter: 0.5, resetMs: 5_000 },
  onExceeded: "escalate",
};

Deno.test("the wait doubles up to its limit, is spread, and starts over after a good run", () => {
  const restarts = new WorkerRestarts(spec, () => 0.5);
  const runs: [number, number, number | undefined][] = [
    [0, 1, 75],
    [100, 101, 150],
    [300, 301, 225],
    [20_000, 24_999, 225],
    [30_000, 35_000, 75],
  ];
  for (const [startedMs, endedMs, delayMs] of runs) {
    assert.equal(restarts.nextDelayMs(startedMs, endedMs), delayMs);
  }
});

Deno.test("more ends within the period than the intensity are too many", () => {
  const restarts = new WorkerRestarts({ ...workerSupervisionDefault, intensity: 1 }, () => 0);
  assert.equal(restarts.nextDelayMs(0, 1), 100);
  assert.equal(restarts.nextDelayMs(1, 2), undefined);
  const { backoff: _, ...plain } = workerSupervisionDefault;
  assert.equal(new WorkerRestarts(plain, () => 0).nextDelayMs(0, 1), 0);
  assert.throws(() => new WorkerRestarts({ ...spec, periodMs: 0 }, () => 0), RangeError);
});
