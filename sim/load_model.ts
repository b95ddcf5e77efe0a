/**
 * What `load` sends, and what `verify` then expects in the store. Every number in a payload is a
 * function of the run, the device and the message's counter, so that the store can be checked
 * without a copy of what was sent.
 *
 * @module
 */
import { mix32 } from "./random.ts";

/** Where a payload's digits come from. */
export type SlotSource =
  /** The device's message counter. */
  | "counter"
  /** The reading's time, ms since the epoch. */
  | "time"
  /** Random, decided by seed, device and counter. */
  | "noise";

/** Digits that differ from message to message: always the same number of them. */
export interface Slot {
  readonly source: SlotSource;
  readonly digits: number;
  /** `noise`: which bits of the 32 to use. */
  readonly shift: number;
}

/** A number in the payload: `prefix` and then the slot's digits, for example `23.` and `47`. */
export interface ModelField {
  readonly key: string;
  readonly prefix: string;
  readonly slot: Slot;
  /** False for the key that the route takes as the timestamp. */
  readonly stored: boolean;
}

/** In which series the store keeps a field of a device. */
export interface SeriesPattern {
  /** The measurement's whole name, or the end that follows the device's name. */
  readonly measurement:
    | { readonly kind: "is"; readonly name: string }
    | { readonly kind: "ends"; readonly suffix: string };
  readonly field: string;
  /** The tag that tells the devices apart. */
  readonly deviceTag: string;
}

/** A kind of device for load. `{n}` in texts stands for the device's number. */
export interface LoadModel {
  readonly name: LoadModelName;
  readonly doc: string;
  readonly topic: string;
  /** Text fields that come first in the payload. */
  readonly labels: Readonly<Record<string, string>>;
  readonly fields: readonly ModelField[];
  /** True when the route takes the reading's time from the payload. */
  readonly ownTime: boolean;
  series(field: string): SeriesPattern;
  /** The topic's part that is the device tag in the store: the last level. */
  deviceTag(topic: string): string;
  /** The device's id in Sluice. */
  deviceId(topic: string): string;
}

const counterOffset = 1_000_000_000;
const counter = (key: string): ModelField => ({
  key,
  prefix: "1", // A leading digit keeps the length the same and the JSON valid.
  slot: { source: "counter", digits: 9, shift: 0 },
  stored: true,
});
const time = (key: string, stored: boolean): ModelField => ({
  key,
  prefix: "",
  slot: { source: "time", digits: 13, shift: 0 },
  stored,
});
const noise = (key: string, prefix: string, digits: number, shift: number): ModelField => ({
  key,
  prefix,
  slot: { source: "noise", digits, shift },
  stored: true,
});

const lastLevel = (topic: string): string => topic.slice(topic.lastIndexOf("/") + 1);
const seriesIn = (measurement: string) => (field: string): SeriesPattern => ({
  measurement: { kind: "is", name: measurement },
  field,
  deviceTag: "device",
});

export const loadModelNames = ["bench", "arrival", "station", "device"] as const;
export type LoadModelName = typeof loadModelNames[number];

/** The models by name. All payloads but that of `device` are 91 bytes with 4 numbers to store. */
export const loadModels: Readonly<Record<LoadModelName, LoadModel>> = {
  bench: {
    name: "bench",
    doc: "4 numbers and the reading's own time; needs the route below",
    topic: "bench/d{n}",
    labels: {},
    fields: [
      noise("temperature", "23.", 2, 0),
      noise("humidity", "45.", 2, 8),
      noise("pressure", "1.", 3, 16),
      counter("seq"),
      time("ts", false),
    ],
    ownTime: true,
    series: seriesIn("bench"),
    deviceTag: lastLevel,
    deviceId: lastLevel,
  },
  arrival: {
    name: "arrival",
    doc: "4 numbers, stored at their arrival; needs the route below",
    topic: "arrival/a{n}",
    labels: {},
    fields: [
      noise("temperature", "23.", 4, 0),
      noise("humidity", "45.", 3, 16),
      counter("sequence"),
      time("publishedMs", true),
    ],
    ownTime: false,
    series: seriesIn("arrival"),
    deviceTag: lastLevel,
    deviceId: lastLevel,
  },
  station: {
    name: "station",
    doc: "BAT, HUMID, TMP, SEQ and timestamp, for the built-in station route",
    topic: "LOAD/S{n}",
    labels: {},
    fields: [
      noise("BAT", "98.", 4, 16),
      noise("HUMID", "45.", 5, 8),
      noise("TMP", "23.", 6, 0),
      counter("SEQ"),
      time("timestamp", false),
    ],
    ownTime: true,
    series: (field) => ({
      measurement: { kind: "ends", suffix: `.${field}` },
      field: "value",
      deviceTag: "station",
    }),
    deviceTag: lastLevel,
    deviceId: (topic) => topic.replaceAll("/", "~"),
  },
  device: {
    name: "device",
    doc: "uuid, value and seq, stored at their arrival, for the built-in device route",
    topic: "device/00000000-0000-4000-8000-{n}",
    labels: { uuid: "00000000-0000-4000-8000-{n}" },
    fields: [noise("value", "2", 4, 0), counter("seq")],
    ownTime: false,
    series: seriesIn("device"),
    deviceTag: lastLevel,
    deviceId: lastLevel,
  },
};

/** Puts the device's number into a text; in a UUID it has twelve digits. */
export function withDevice(template: string, n: number): string {
  const uuid = template.includes("-8000-{n}");
  return template.replaceAll("{n}", uuid ? String(n).padStart(12, "0") : String(n));
}

/** The 32 random bits of one message. */
export function noiseOf(seed: number, device: number, counter: number): number {
  return mix32(counter ^ Math.imul(device + 1, 0x9e37_79b1) ^ Math.imul(seed + 1, 0x27d4_eb2f));
}

/** The digits of a `noise` slot as an integer. */
export function noiseDigits(slot: Slot, bits: number): number {
  return (bits >>> slot.shift) % 10 ** slot.digits;
}

/** The counter that a stored value of the counter's field stands for. */
export function counterOf(value: number): number {
  return value - counterOffset;
}

/** The field that carries the counter. */
export function counterField(model: LoadModel): ModelField {
  const field = model.fields.find(({ slot }) => slot.source === "counter");
  if (field === undefined) throw new Error(`Model ${model.name} has no counter`);
  return field;
}

/** The number that the store must hold, exactly: the double nearest to the digits that were sent. */
export function storedValue(
  field: ModelField,
  bits: number,
  counter: number,
  timeMs: number,
): number {
  const { slot, prefix } = field;
  if (slot.source === "time") return timeMs;
  const digits = slot.source === "counter" ? counter : noiseDigits(slot, bits);
  const scale = 10 ** slot.digits;
  // One division of two exact integers rounds as parsing the decimal text does.
  return prefix.endsWith(".")
    ? (Number(prefix.slice(0, -1)) * scale + digits) / scale
    : Number(prefix) * scale + digits;
}
