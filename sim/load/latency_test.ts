import assert from "node:assert/strict";
import { LatencyRecorder } from "./latency.ts";

Deno.test("latency: percentiles within a thousandth, runs of one value included", () => {
  const recorder = new LatencyRecorder();
  for (let ms = 1; ms <= 1_000; ms++) {
    for (let i = 0; i < 3; i++) recorder.record(ms);
  }
  const summary = recorder.summary();
  const near = (value: number, expected: number) =>
    assert.ok(Math.abs(value - expected) <= expected / 900, `${value} for ${expected}`);
  assert.equal(summary.count, 3_000);
  near(summary.mean, 500.5);
  near(summary.p50, 500);
  near(summary.p90, 900);
  near(summary.p99, 990);
  near(summary.p999, 999);
  near(summary.max, 1_000);
});

Deno.test("latency: nothing, less than the least, more than the most", () => {
  assert.equal(new LatencyRecorder().summary().mean, 0);
  const recorder = new LatencyRecorder();
  recorder.record(-0.5);
  recorder.record(1e12);
  const summary = recorder.summary();
  assert.equal(summary.count, 2);
  assert.equal(summary.p50, 0.001);
  assert.ok(summary.max <= 3_602_000);
});
