/**
 * Compares an account with what a store holds, sample by sample: memory is nine bytes a message,
 * whatever the store.
 *
 * @module
 */
import type { Account } from "../account.ts";
import {
  counterField,
  counterOf,
  loadModels,
  type ModelField,
  noiseOf,
  storedValue,
} from "../load_model.ts";
import { isPoison } from "../poison.ts";
import { DeviceReadings, fieldsMax } from "./device_readings.ts";
import type { SampleBlock } from "./samples.ts";

/** What was found. Everything under `faults` must be 0. */
export interface Findings {
  /** Acknowledged readings that the store must hold. */
  readonly expected: number;
  /** Of those, how many it holds with every field. */
  readonly stored: number;
  /** Sent, but not known to be acknowledged, and stored. */
  readonly storedUnacknowledged: number;
  /** The same sample of the same series given twice by a store that does not overwrite. */
  readonly repeats: number;
  readonly faults: {
    /** Acknowledged, and not stored, or not all of it. */
    readonly missing: number;
    /** Stored again under another time or in another series. */
    readonly duplicated: number;
    readonly wrongTime: number;
    readonly wrongValue: number;
    /** Samples of what was never sent, or was no reading. */
    readonly unexpected: number;
  };
  /** The first few faults, in words. */
  readonly examples: readonly string[];
}

const examplesMax = 20;
/** Clocks of the simulator and the service may differ this much, in ms. */
const clockSlackMs = 1_000;

/**
 * Takes the samples of the counter's field first, then those of each other field.
 *
 * @example
 * ```ts
 * import { ReadingCheck } from "./reading_check.ts";
 * import { parseAccount } from "../account.ts";
 * import assert from "node:assert/strict";
 *
 * const account = parseAccount([
 *   '{"kind":"plan","version":1,"model":"bench","topic":"bench/d{n}","devices":1,"qos":1,"seed":1,' +
 *     '"beganMs":1700000000000,"startMs":1700000000000,"stepMs":10,"poisonEvery":0}',
 *   '{"kind":"acknowledged","runs":[[0,0,3]]}',
 *   '{"kind":"end","endedMs":1700000000100,"sent":[3]}',
 *   "",
 * ]);
 * const check = new ReadingCheck(account, 1);
 * check.take("seq", {
 *   device: 0, series: "bench", count: 2, timesNs: [0, 20e6], values: [1e9, 1e9 + 2],
 * });
 * assert.equal(check.findings().faults.missing, 3); // of two only `seq` is there yet
 * ```
 */
export class ReadingCheck {
  readonly fields: readonly ModelField[];
  readonly #account: Account;
  readonly #devices: readonly DeviceReadings[];
  readonly #counterField: ModelField;
  readonly #ownTime: boolean;
  readonly #precisionNs: number;
  readonly #examples: string[] = [];
  #repeats = 0;
  #duplicated = 0;
  #wrongTime = 0;
  #wrongValue = 0;
  #unexpected = 0;

  /** `precisionNs`: what the store cuts times down to. */
  constructor(account: Account, precisionNs: number) {
    const model = loadModels[account.plan.model];
    this.#account = account;
    this.#precisionNs = precisionNs;
    this.#ownTime = model.ownTime;
    this.#counterField = counterField(model);
    const others = model.fields.filter((field) => field.stored && field !== this.#counterField);
    this.fields = [this.#counterField, ...others];
    if (this.fields.length > fieldsMax) throw new RangeError(`${model.name} has too many fields`);
    this.#devices = account.acknowledged.map((ranges, device) =>
      new DeviceReadings(account.end?.sent[device] ?? ranges.end)
    );
  }

  /** Takes samples of the field that has this key in the payload. */
  take(key: string, block: SampleBlock): void {
    const index = this.fields.findIndex((field) => field.key === key);
    const readings = this.#devices[block.device];
    if (index < 0 || readings === undefined) throw new RangeError(`No field ${key} in the account`);
    const only = readings.isOnlySeries(index, block.series);
    for (let i = 0; i < block.count; i++) {
      const timeNs = block.timesNs[i]!;
      const value = block.values[i]!;
      if (index === 0) this.#takeCounter(readings, block.device, timeNs, value, only);
      else this.#takeField(readings, block.device, index, timeNs, value, only);
    }
  }

  findings(): Findings {
    const { plan, acknowledged } = this.#account;
    const all = (1 << this.fields.length) - 1;
    let expected = 0;
    let stored = 0;
    let storedUnacknowledged = 0;
    const missing: string[] = [];
    let missingCount = 0;
    this.#devices.forEach((readings, device) => {
      const ranges = acknowledged[device]!;
      for (const { from, to } of ranges.ranges) {
        for (let counter = from; counter < to; counter++) {
          if (isPoison(plan.poisonEvery, counter)) continue;
          expected++;
          if (readings.hasAll(counter, all)) {
            stored++;
          } else {
            missingCount++;
            if (missing.length < examplesMax) {
              missing.push(this.#missing(readings, device, counter));
            }
          }
        }
      }
      for (let counter = 0; counter < readings.capacity; counter++) {
        if (readings.has(counter, 0) && !ranges.has(counter)) storedUnacknowledged++;
      }
    });
    return {
      expected,
      stored,
      storedUnacknowledged,
      repeats: this.#repeats,
      faults: {
        missing: missingCount,
        duplicated: this.#duplicated,
        wrongTime: this.#wrongTime,
        wrongValue: this.#wrongValue,
        unexpected: this.#unexpected,
      },
      examples: [...this.#examples, ...missing].slice(0, examplesMax),
    };
  }

  #takeCounter(
    readings: DeviceReadings,
    device: number,
    timeNs: number,
    value: number,
    only: boolean,
  ): void {
    const counter = counterOf(value);
    if (!Number.isInteger(counter) || counter < 0 || counter >= readings.capacity) {
      // A run that was cut off may have sent more than its account knows.
      if (this.#account.end === undefined && Number.isInteger(counter) && counter >= 0) return;
      this.#unexpected++;
      return this.#example(device, timeNs, `${this.#counterField.key} ${value} was never sent`);
    }
    if (isPoison(this.#account.plan.poisonEvery, counter)) {
      this.#unexpected++;
      return this.#example(device, timeNs, `message ${counter} is stored, and was no JSON`);
    }
    if (readings.has(counter, 0)) {
      if (only && readings.timeNs(counter) === timeNs) {
        this.#repeats++;
        return;
      }
      this.#duplicated++;
      readings.stray(counter, timeNs);
      return this.#example(device, timeNs, `reading ${counter} is stored a second time`);
    }
    readings.found(counter, timeNs, 0);
    if (!this.#isRightTime(counter, timeNs)) {
      this.#wrongTime++;
      readings.stray(counter, timeNs);
      this.#example(device, timeNs, `reading ${counter} is stored at a wrong time`);
    }
  }

  #takeField(
    readings: DeviceReadings,
    device: number,
    index: number,
    timeNs: number,
    value: number,
    only: boolean,
  ): void {
    let candidates = 0;
    let repeated = false;
    const matches = (counter: number): boolean => {
      candidates++;
      if (this.#valueOf(index, device, counter) !== value) return false;
      if (readings.has(counter, index)) {
        repeated = true;
        return false;
      }
      readings.mark(counter, index);
      return true;
    };
    if (this.#findAt(readings, timeNs, matches)) return;
    if (repeated) {
      // That a reading is there twice was said when its counter was.
      if (only && readings.strayAt(timeNs) === undefined) this.#repeats++;
      return;
    }
    if (candidates > 0) {
      this.#wrongValue++;
      this.#example(device, timeNs, `${this.fields[index]!.key} is ${value}, which was never sent`);
    } else if (this.#account.end !== undefined) {
      this.#unexpected++;
      this.#example(
        device,
        timeNs,
        `${this.fields[index]!.key} ${value} is at a time of no reading`,
      );
    }
  }

  /** Tries the readings that are stored at this time. */
  #findAt(
    readings: DeviceReadings,
    timeNs: number,
    matches: (counter: number) => boolean,
  ): boolean {
    const stray = readings.strayAt(timeNs);
    if (stray !== undefined && matches(stray)) return true;
    if (!this.#ownTime) return readings.at(timeNs, matches);
    const { startMs, stepMs, beganMs } = this.#account.plan;
    const counter = (timeNs / 1e6 - (startMs - beganMs)) / stepMs;
    if (!Number.isInteger(counter) || counter < 0 || counter >= readings.capacity) return false;
    return readings.has(counter, 0) && readings.timeNs(counter) === timeNs && matches(counter);
  }

  #isRightTime(counter: number, timeNs: number): boolean {
    const { startMs, stepMs, beganMs } = this.#account.plan;
    if (this.#ownTime) return timeNs === (startMs - beganMs + counter * stepMs) * 1e6;
    const endedMs = this.#account.end?.endedMs ?? Infinity;
    return timeNs >= -clockSlackMs * 1e6 - this.#precisionNs &&
      timeNs <= (endedMs - beganMs + clockSlackMs) * 1e6;
  }

  #valueOf(index: number, device: number, counter: number): number {
    const { seed, startMs, stepMs } = this.#account.plan;
    const field = this.fields[index]!;
    const bits = noiseOf(seed, device, counter);
    return storedValue(field, bits, counter, startMs + counter * stepMs);
  }

  #missing(readings: DeviceReadings, device: number, counter: number): string {
    if (!readings.has(counter, 0)) return `device ${device}: reading ${counter} is missing`;
    const keys = this.fields.filter((_, index) => !readings.has(counter, index)).map((f) => f.key);
    return `device ${device}: reading ${counter} lacks ${keys.join(", ")}`;
  }

  #example(device: number, timeNs: number, text: string): void {
    if (this.#examples.length >= examplesMax) return;
    const time = new Date(this.#account.plan.beganMs + timeNs / 1e6);
    const at = Number.isNaN(time.getTime()) ? `${timeNs} ns` : time.toISOString();
    this.#examples.push(`device ${device} at ${at}: ${text}`);
  }
}
