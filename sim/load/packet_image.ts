/**
 * Ready-made PUBLISH packets: a message costs one copy and a few digits written in place.
 *
 * @module
 */
import { encodePacket } from "../../gateways/mqtt/codec/packet.ts";
import type { ProtocolVersion } from "../../gateways/mqtt/codec/packet_type.ts";
import { noProperties } from "../../gateways/mqtt/codec/properties.ts";
import type { Qos } from "../../gateways/mqtt/codec/publish.ts";
import { isPoison } from "../poison.ts";
import { type LoadModel, noiseDigits, noiseOf, type Slot, withDevice } from "../load_model.ts";

/** What is the same in every message of a run. */
export interface MessagePlan {
  readonly model: LoadModel;
  /** Topic template with `{n}`. */
  readonly topic: string;
  readonly qos: Qos;
  readonly version: ProtocolVersion;
  readonly seed: number;
  /** Time of a device's message 0, ms since the epoch, and from each message to the next. */
  readonly startMs: number;
  readonly stepMs: number;
  /** Every so many-th message of a device is not JSON; 0: none. */
  readonly poisonEvery: number;
}

interface Patch {
  /** Bytes from the packet's end to the first digit. */
  readonly fromEnd: number;
  readonly slot: Slot;
}

const dupFlag = 0b1000;
const utf8 = new TextEncoder();

/** The packets of one device. */
export class PacketImage {
  readonly device: number;
  readonly #plan: MessagePlan;
  readonly #bytes: Uint8Array;
  readonly #patches: readonly Patch[];
  readonly #packetIdAt: number;
  readonly #payloadAt: number;

  constructor(plan: MessagePlan, device: number) {
    this.device = device;
    this.#plan = plan;
    const { payload, patches } = payloadOf(plan.model, device);
    this.#patches = patches;
    this.#bytes = encodePacket({
      kind: "publish",
      topic: withDevice(plan.topic, device),
      payload,
      qos: plan.qos,
      dup: false,
      retain: false,
      packetId: plan.qos === 0 ? 0 : 1,
      properties: noProperties,
    }, plan.version);
    this.#payloadAt = this.#bytes.length - payload.length;
    this.#packetIdAt = this.#payloadAt - 2 - (plan.version === 5 ? 1 : 0);
  }

  /** Bytes of each packet. */
  get length(): number {
    return this.#bytes.length;
  }

  /** Writes message number `counter` at `at` and returns the offset behind it. */
  write(out: Uint8Array, at: number, counter: number, packetId: number, dup: boolean): number {
    const { seed, startMs, stepMs, qos, poisonEvery } = this.#plan;
    out.set(this.#bytes, at);
    if (qos > 0) {
      if (dup) out[at]! |= dupFlag;
      out[at + this.#packetIdAt] = packetId >>> 8;
      out[at + this.#packetIdAt + 1] = packetId;
    }
    const end = at + this.#bytes.length;
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
    if (isPoison(poisonEvery, counter)) out[at + this.#payloadAt] = 0x21; // "!" in place of "{"
    return end;
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
