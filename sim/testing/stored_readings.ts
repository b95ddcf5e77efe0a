/**
 * What a store would hold after a run in which all went well, to be spoiled by tests.
 *
 * @module
 */
import { type Account, parseAccount } from "../account.ts";
import { type LoadModelName, loadModels, noiseOf, storedValue } from "../load_model.ts";
import { isPoison } from "../poison.ts";

/** One stored reading. */
export interface StoredReading {
  readonly device: number;
  readonly counter: number;
  /** Since the run began. */
  timeNs: number;
  series: string;
  readonly values: Map<string, number>;
}

/** An account in which each device's first `acknowledged` of `sent` messages were acknowledged. */
export function accountOf(
  model: LoadModelName,
  options: {
    readonly devices: number;
    readonly sent: number;
    readonly acknowledged?: number;
    readonly poisonEvery?: number;
    readonly cutOff?: boolean;
    readonly beganMs?: number;
    readonly topic?: string;
  },
): Account {
  const { devices, sent, acknowledged = sent, poisonEvery = 0, beganMs = 1_700_000_000_000 } =
    options;
  const all = Array.from({ length: devices }, (_, device) => device);
  const lines: unknown[] = [
    {
      kind: "plan",
      version: 1,
      model,
      topic: options.topic ?? loadModels[model].topic,
      devices,
      qos: 1,
      seed: 3,
      beganMs,
      startMs: beganMs + 5_000,
      stepMs: 10,
      poisonEvery,
    },
    { kind: "acknowledged", runs: all.map((device) => [device, 0, acknowledged]) },
  ];
  if (options.cutOff !== true) {
    lines.push({ kind: "end", endedMs: beganMs + 60_000, sent: all.map(() => sent) });
  }
  return parseAccount([...lines.map((line) => JSON.stringify(line)), ""]);
}

/** Every message that was sent and is JSON, at its own time or one after the other. */
export function storedReadings({ plan, acknowledged, end }: Account): StoredReading[] {
  const model = loadModels[plan.model];
  const stored: StoredReading[] = [];
  for (let device = 0; device < plan.devices; device++) {
    const sent = end?.sent[device] ?? acknowledged[device]!.end;
    for (let counter = 0; counter < sent; counter++) {
      if (isPoison(plan.poisonEvery, counter)) continue;
      const timeMs = plan.startMs + counter * plan.stepMs;
      const bits = noiseOf(plan.seed, device, counter);
      const fields = model.fields.filter((field) => field.stored);
      stored.push({
        device,
        counter,
        timeNs: model.ownTime ? (timeMs - plan.beganMs) * 1e6 : (counter * 7 + device) * 1_000_003,
        series: `series-${device}`,
        values: new Map(
          fields.map((field) => [field.key, storedValue(field, bits, counter, timeMs)]),
        ),
      });
    }
  }
  return stored;
}
