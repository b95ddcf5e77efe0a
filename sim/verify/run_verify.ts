/**
 * Reads a store and compares it with an account, again and again until it fits or time is up: a
 * store shows what it was given only after a while, and the spool may still be draining.
 *
 * @module
 */
import type { Account } from "../account.ts";
import type { SimClock } from "../clock.ts";
import { type LoadModel, loadModels, type SeriesPattern, withDevice } from "../load_model.ts";
import { type Findings, ReadingCheck } from "./reading_check.ts";
import type { SampleStore } from "./samples.ts";

export interface VerifyOptions {
  readonly waitMs: number;
  /** In place of the model's own. */
  readonly measurement?: string;
  readonly deviceTag?: string;
}

const pauseMinMs = 250;
const pauseMaxMs = 5_000;

/** Resolves with the last findings. */
export async function runVerify(
  account: Account,
  store: SampleStore,
  options: VerifyOptions,
  clock: SimClock,
  stop: AbortSignal,
): Promise<Findings> {
  const deadlineMs = clock.nowMs() + options.waitMs;
  let pauseMs = pauseMinMs;
  for (;;) {
    const findings = await compare(account, store, options, clock);
    const { missing, unexpected } = findings.faults;
    // Unexpected may be the other fields of a reading that came while the store was being read.
    const maySettle = missing > 0 || unexpected > 0;
    if (!maySettle || stop.aborted || clock.nowMs() + pauseMs > deadlineMs) return findings;
    await clock.sleep(pauseMs, stop);
    pauseMs = Math.min(pauseMaxMs, pauseMs * 2);
  }
}

/** True when nothing is wrong. */
export function isClean({ faults }: Findings): boolean {
  return Object.values(faults).every((count) => count === 0);
}

async function compare(
  account: Account,
  store: SampleStore,
  options: VerifyOptions,
  clock: SimClock,
): Promise<Findings> {
  const { plan, end } = account;
  const model = loadModels[plan.model];
  const check = new ReadingCheck(account, store.precisionNs);
  const topics = Array.from({ length: plan.devices }, (_, n) => withDevice(plan.topic, n));
  const deviceOfTag = new Map(topics.map((topic, n) => [model.deviceTag(topic), n]));
  const deviceIds = topics.map((topic) => model.deviceId(topic));
  const { fromMs, toMs } = rangeOf(account, model, end?.endedMs ?? clock.wallMs());
  for (const { key } of check.fields) {
    const pattern = patternOf(model, key, options);
    const originMs = plan.beganMs;
    const blocks = store.samples({
      key,
      pattern,
      fromMs,
      toMs,
      originMs,
      deviceOfTag,
      deviceIds,
    });
    for await (const block of blocks) check.take(key, block);
  }
  return check.findings();
}

function patternOf(model: LoadModel, key: string, options: VerifyOptions): SeriesPattern {
  const pattern = model.series(key);
  const { measurement, deviceTag = pattern.deviceTag } = options;
  if (measurement === undefined) return { ...pattern, deviceTag };
  return { ...pattern, deviceTag, measurement: { kind: "is", name: measurement } };
}

/** When the run's readings can be stored; other runs of the same devices are outside. */
function rangeOf(
  { plan, acknowledged, end }: Account,
  model: LoadModel,
  endedMs: number,
): { readonly fromMs: number; readonly toMs: number } {
  if (!model.ownTime) return { fromMs: plan.beganMs, toMs: endedMs };
  const sent = end?.sent ?? acknowledged.map((ranges) => ranges.end);
  const most = sent.reduce((a, b) => Math.max(a, b), 1);
  return { fromMs: plan.startMs, toMs: plan.startMs + (most - 1) * plan.stepMs };
}
