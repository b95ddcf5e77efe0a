/**
 * A device at rest: one string of JSON. Strings of ASCII take one byte a character and no buffer of
 * their own, which makes them the smallest form there is for a hundred thousand devices, and the
 * same form can be written to disk.
 *
 * @module
 */
import { isTexts } from "../runtime/fields.ts";
import { Device, type DeviceTools } from "./device.ts";

const version = 1;
const numbersCount = 7;
/** Between what a device's code keeps, which as JSON holds none, and the name of its route. */
const stateEnd = "\n";

/**
 * Puts everything that must outlast passivation or a restart into a string. Where room is `short` it
 * remembers fewer of its old readings.
 */
export function saveDevice(device: Device, nowMs: number, short = false): string {
  const { values, lastError, window, codeStates } = device;
  const names: string[] = [];
  const cells: number[] = [];
  for (let i = 0; i < values.count; i++) {
    names.push(values.name(i));
    cells.push(values.value(i), values.timeMs(i) - device.lastSeenMs);
  }
  const fingerprints = window === undefined ? "" : toBase64(window.recent(nowMs, short));
  return JSON.stringify([
    version,
    [
      device.lastSeenMs,
      device.accepted,
      device.duplicates,
      device.refused,
      device.deadLettered,
      device.arrivalMs,
      device.arrivalNs,
    ],
    names,
    cells,
    fingerprints,
    lastError === undefined ? 0 : [lastError.reason, lastError.detail, lastError.atMs],
    ...(codeStates === undefined || codeStates.size === 0
      ? []
      : [Array.from(codeStates.entries(), ([route, text]) => text + stateEnd + route)]),
  ]);
}

/**
 * The same device, seen so much later: what is written down is in wall time, and somebody may have
 * set the clock since it began.
 */
export function shiftSaved(saved: string, byMs: number): string {
  const value: unknown = JSON.parse(saved);
  if (!Array.isArray(value) || !isNumbers(value[1]) || !isNumbers(value[3])) return saved;
  const [savedVersion, [lastSeenMs = 0, ...counts], names, cells, ...rest] = value;
  // The values' own times, which are relative, stay what they are.
  const kept = cells.map((cell: number, i: number) => i % 2 === 0 ? cell : cell - byMs);
  return JSON.stringify([savedVersion, [lastSeenMs + byMs, ...counts], names, kept, ...rest]);
}

/** When a saved device was last seen, without reading the rest. */
export function savedLastSeenMs(saved: string): number {
  const start = saved.indexOf("[", 1) + 1;
  return Number(saved.slice(start, saved.indexOf(",", start)));
}

/** Whether a saved device has a value of that name, as JSON writes it, without reading the rest. */
export function savedHasValue(saved: string, jsonName: string): boolean {
  let at = saved.indexOf("]") + "],[".length; // The names follow the numbers.
  while (saved[at] === '"') {
    if (saved.startsWith(jsonName, at)) return true;
    do at += saved[at] === "\\" ? 2 : 1; while (at < saved.length && saved[at] !== '"');
    at += '",'.length;
  }
  return false;
}

/**
 * The device that {@linkcode saveDevice} saved.
 *
 * @throws {TypeError} for anything else.
 */
export function restoreDevice(
  id: string,
  saved: string,
  tools: DeviceTools,
  nowMs: number,
): Device {
  const { numbers, names, cells, fingerprints, error, states } = parse(id, saved);
  const device = new Device(id, tools);
  // The clock was set back since it was saved: nobody was seen in the future.
  device.lastSeenMs = Math.min(numbers[0]!, nowMs);
  device.accepted = numbers[1]!;
  device.duplicates = numbers[2]!;
  device.refused = numbers[3]!;
  device.deadLettered = numbers[4]!;
  device.arrivalMs = numbers[5]!;
  device.arrivalNs = numbers[6]!;
  device.lastError = error;
  names.forEach((name, i) =>
    device.values.set(i, name, cells[2 * i]!, cells[2 * i + 1]! + numbers[0]!)
  );
  for (let i = 0; i + 1 < fingerprints.length; i += 2) {
    device.remember(fingerprints[i]!, fingerprints[i + 1]!, nowMs);
  }
  for (const state of states) {
    const end = state.indexOf(stateEnd);
    device.restoreState(state.slice(end + stateEnd.length), state.slice(0, end));
  }
  return device;
}

function parse(id: string, saved: string) {
  const refuse = (cause?: unknown): never => {
    throw new TypeError(`Cannot restore the device ${JSON.stringify(id)}: not a saved device`, {
      cause,
    });
  };
  let value: unknown;
  try {
    value = JSON.parse(saved);
  } catch (cause) {
    return refuse(cause);
  }
  if (!Array.isArray(value) || value[0] !== version) return refuse();
  // Most devices have no code that keeps anything: theirs has no states.
  if (value.length !== 6 && value.length !== 7) return refuse();
  const [, numbers, names, cells, fingerprints, error, states = []]: unknown[] = value;
  const isSaved = isNumbers(numbers) && numbers.length === numbersCount && isNumbers(cells) &&
    isTexts(names) && cells.length === 2 * names.length && typeof fingerprints === "string" &&
    isTexts(states) && states.every((state) => state.includes(stateEnd));
  if (!isSaved) return refuse();
  return {
    numbers,
    names,
    cells,
    fingerprints: fromBase64(fingerprints, refuse),
    error: errorOf(error),
    states,
  };
}

const isNumbers = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((item) => typeof item === "number");

function errorOf(value: unknown) {
  if (!Array.isArray(value)) return undefined;
  const [reason, detail, atMs]: unknown[] = value;
  return typeof reason === "string" && typeof detail === "string" && typeof atMs === "number"
    ? { reason, detail, atMs }
    : undefined;
}

const toBase64 = (words: Uint32Array<ArrayBuffer>): string =>
  new Uint8Array(words.buffer).toBase64({ omitPadding: true });

function fromBase64(text: string, refuse: (cause?: unknown) => never): Uint32Array {
  try {
    const bytes = Uint8Array.fromBase64(text);
    return new Uint32Array(bytes.buffer, 0, bytes.length >> 2);
  } catch (cause) {
    return refuse(cause);
  }
}
