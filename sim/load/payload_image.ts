/**
 * Payloads as templates: only some of their digits differ from message to message.
 *
 * @module
 */
import { type LoadModel, noiseDigits, noiseOf, type Slot, withDevice } from "../load_model.ts";
import { isPoison } from "../poison.ts";

/** Which readings a run has. */
export interface ReadingPlan {
  readonly model: LoadModel;
  /** Topic template with `{n}`. */
  readonly topic: string;
  readonly seed: number;
  /** Time of a device's message 0, ms since the epoch, and from each message to the next. */
  readonly startMs: number;
  readonly stepMs: number;
  /** Every so many-th message of a device is no reading; 0: none. */
  readonly poisonEvery: number;
}

interface Patch {
  /** Bytes from the payload's end to the first digit. */
  readonly fromEnd: number;
  readonly slot: Slot;
}

const utf8 = new TextEncoder();
const text = new TextDecoder();

/** The payloads of one device. */
export class PayloadImage {
  readonly device: number;
  readonly topic: string;
  readonly bytes: Uint8Array;
  readonly #plan: ReadingPlan;
  readonly #patches: readonly Patch[];

  constructor(plan: ReadingPlan, device: number) {
    this.device = device;
    this.topic = withDevice(plan.topic, device);
    this.#plan = plan;
    const { payload, patches } = payloadOf(plan.model, device);
    this.bytes = payload;
    this.#patches = patches;
  }

  /** Writes what is message `counter`'s own into a copy of the bytes that ends at `end`. */
  patch(out: Uint8Array, end: number, counter: number): void {
    const { seed, startMs, stepMs } = this.#plan;
    const bits = noiseOf(seed, this.device, counter);
    for (const { fromEnd, slot } of this.#patches) {
      const first = end - fromEnd;
      if (slot.source === "counter") {
        writeDigits(out, first, slot.digits, counter);
      } else if (slot.source === "noise") {
        writeDigits(out, first, slot.digits, noiseDigits(slot, bits));
      } else {
        // In two halves, so that all of it is small-integer arithmetic.
        const timeMs = startMs + counter * stepMs;
        const high = Math.floor(timeMs / 10_000_000);
        writeDigits(out, first, slot.digits - 7, high);
        writeDigits(out, first + slot.digits - 7, 7, timeMs - high * 10_000_000);
      }
    }
  }

  isPoison(counter: number): boolean {
    return isPoison(this.#plan.poisonEvery, counter);
  }

  /** Message `counter` as JSON. Poison is JSON too, but no reading: a text. */
  json(counter: number): string {
    const bytes = this.bytes.slice();
    this.patch(bytes, bytes.length, counter);
    const payload = text.decode(bytes);
    return this.isPoison(counter) ? JSON.stringify(payload) : payload;
  }
}

function payloadOf(
  model: LoadModel,
  device: number,
): { readonly payload: Uint8Array; readonly patches: readonly Patch[] } {
  const labels = Object.entries(model.labels).map(([key, value]) =>
    `${JSON.stringify(key)}:${JSON.stringify(withDevice(value, device))}`
  );
  let text = `{${labels.join(",")}`;
  const starts: { at: number; slot: Slot }[] = [];
  for (const { key, prefix, slot } of model.fields) {
    text += `${text === "{" ? "" : ","}${JSON.stringify(key)}:${prefix}`;
    starts.push({ at: text.length, slot });
    text += "0".repeat(slot.digits);
  }
  text += "}";
  return {
    payload: utf8.encode(text),
    patches: starts.map(({ at, slot }) => ({ fromEnd: text.length - at, slot })),
  };
}

function writeDigits(out: Uint8Array, at: number, digits: number, value: number): void {
  let rest = value | 0;
  for (let i = at + digits - 1; i >= at; i--) {
    const tenth = (rest / 10) | 0;
    out[i] = 0x30 + rest - tenth * 10;
    rest = tenth;
  }
}
