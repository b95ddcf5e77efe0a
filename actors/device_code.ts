/**
 * The seam for devices that are programmed instead of configured: a route's `module` exports a
 * class `Device` that turns each payload into points itself. It runs inside the device's actor, one
 * reading at a time; what it throws is that actor's crash, and its supervisor's business. So is that
 * it does not return: then it is ended.
 *
 * @module
 */
import type { CodeLimit } from "./code_limit.ts";
import { type CodeState, type CodeStateError, stateOf } from "./code_state.ts";
import type { LastValues } from "./device_values.ts";
import type { LineBuffer } from "./line_buffer.ts";
import {
  appendTime,
  escapeMeasurementStart,
  escapeTag,
  fieldKey,
  isWritableName,
  quoteText,
} from "./line_protocol.ts";
import type { Reading } from "./reading.ts";
import { TimestampReader } from "./timestamp.ts";

/** A reading as user-written code sees it. */
export interface CodeReading {
  readonly topic: string;
  readonly deviceId: string;
  /** What the placeholders of the route's topic stand for. */
  readonly params: Readonly<Record<string, string>>;
  /** The payload; valid during the call. */
  readonly payload: Uint8Array;
  /** Wall time, ms since the epoch. */
  readonly arrivalMs: number;
}

/** One point to store. */
export interface CodePoint {
  /** Default: the route's. */
  readonly measurement?: string;
  /** Added to the route's tags. */
  readonly tags?: Readonly<Record<string, string>>;
  /** Numbers that are not finite are left out. */
  readonly fields: Readonly<Record<string, number | string | boolean>>;
  /** RFC 3339, ms since the epoch, or ns as a bigint. Default: the time of arrival. */
  readonly time?: string | number | bigint;
}

/**
 * What a module's class `Device` implements. One instance per device and route, as long as the device
 * is active; its constructor is handed what an earlier instance has saved, as JSON gives it, or
 * nothing.
 *
 * @example
 * ```ts
 * import type { CodePoint, CodeReading, DeviceCode } from "./device_code.ts";
 * import assert from "node:assert/strict";
 *
 * class Device implements DeviceCode {
 *   #count: number;
 *   constructor(saved?: { readonly count: number }) {
 *     this.#count = saved?.count ?? 0;
 *   }
 *   onReading(_: CodeReading, emit: (point: CodePoint) => void): void {
 *     emit({ fields: { count: ++this.#count } });
 *   }
 *   save() {
 *     return { count: this.#count };
 *   }
 * }
 *
 * assert.deepEqual(new Device({ count: 3 }).save(), { count: 3 });
 * ```
 */
export interface DeviceCode {
  onReading(reading: CodeReading, emit: (point: CodePoint) => void): void;
  /**
   * What is to be kept over passivation, a crash and a restart; asked for after each reading that
   * `onReading` returned from. `undefined`: what is kept stays as it is.
   */
  save?(): CodeState | undefined;
}

const utf8 = new TextEncoder();

/** Lines that one reading may become. */
const linesBytesMax = 2 * 1024 * 1024;

/** Runs user-written code and writes what it emits. */
export class DeviceCodeRunner {
  readonly #limit: CodeLimit;
  readonly #stateBytesMax: number;
  readonly #time = new TimestampReader();
  /** Points that were emitted when their reading was done with: they are not stored. */
  latePoints = 0;
  /** What the code wants kept after the last run, or why that is not possible. */
  state: string | CodeStateError | undefined;

  /** `stateBytesMax`: what the code of one device may keep. */
  constructor(limit: CodeLimit, stateBytesMax: number) {
    this.#limit = limit;
    this.#stateBytesMax = stateBytesMax;
  }

  /**
   * Appends the lines of what `code` makes of the reading, and returns how many points that were;
   * `emitted` gets them, when somebody wants to see them.
   *
   * @throws what the code throws, {@linkcode TypeError} for a point that cannot be written, and
   * {@linkcode CodeTimeoutError}; `lines` is then as before.
   */
  run(
    code: DeviceCode,
    reading: Reading,
    lines: LineBuffer,
    arrivalMs: number,
    arrivalNs: number,
    values: LastValues,
    emitted?: CodePoint[],
  ): number {
    const { batch, entry, start, end } = reading;
    const before = lines.length;
    const kept: Kept[] = [];
    let open = true;
    const codeReading: CodeReading = {
      topic: entry.topic,
      deviceId: entry.deviceId,
      params: entry.route.topic.match(entry.topic) ?? {},
      payload: batch.data.subarray(start, end),
      arrivalMs: batch.arrivalMs,
    };
    const emit = (point: CodePoint) => {
      if (!open) {
        this.latePoints++;
        return;
      }
      if (lines.length - before > linesBytesMax) {
        throw new RangeError(`Cannot emit more than ${linesBytesMax} bytes of points`);
      }
      checkShape(point);
      const fields = fieldsOf(point);
      if (fields === "") return;
      this.#readTime(point.time, arrivalMs, arrivalNs);
      this.#appendSeries(lines, reading, point);
      lines.appendText(` ${fields} `);
      appendTime(lines, this.#time.ms, this.#time.ns);
      lines.push(0x0a);
      kept.push({
        fields: Object.entries(point.fields),
        timeMs: Math.min(this.#time.ms, batch.arrivalMs),
      });
      emitted?.push(point);
    };
    try {
      this.state = this.#limit.run(() => {
        refusePromise(code.onReading(codeReading, emit));
        open = false;
        return stateOf(code, this.#stateBytesMax);
      });
    } catch (error) {
      lines.length = before;
      throw error;
    } finally {
      open = false;
    }
    // Not before: code may be ended in the midst of `emit`, and devices share what values are in.
    for (const point of kept) keep(values, point);
    return kept.length;
  }

  #appendSeries(lines: LineBuffer, { entry }: Reading, point: CodePoint): void {
    const { bytes, headStart, headEnd, tailEnd } = entry;
    if (point.measurement === undefined) lines.append(bytes, headStart, headEnd);
    else lines.appendText(escapeMeasurementStart(writable(point.measurement)));
    lines.append(bytes, headEnd, tailEnd);
    for (const [key, value] of Object.entries(point.tags ?? {})) {
      if (entry.route.tags.some(([known]) => known === key)) {
        throw new TypeError(`Cannot emit a point: the tag ${key} is the route's already`);
      }
      if (value !== "") {
        lines.appendText(`,${escapeTag(writable(key))}=${escapeTag(writable(value))}`);
      }
    }
  }

  #readTime(time: CodePoint["time"], arrivalMs: number, arrivalNs: number): void {
    const reader = this.#time;
    if (time === undefined) {
      reader.ms = arrivalMs;
      reader.ns = arrivalNs;
      return;
    }
    const text = utf8.encode(String(time));
    const format = typeof time === "string" ? "rfc3339" : typeof time === "number" ? "ms" : "ns";
    if (reader.read(text, 0, text.length, format) !== "read") {
      throw new TypeError(`Cannot emit a point: ${time} is no time that can be stored`);
    }
  }
}

/** The code may be JavaScript: an `async` method would emit when another reading has its turn. */
function refusePromise(result: unknown): void {
  if (!(result instanceof Promise)) return;
  result.catch(() => {}); // The reading is a dead letter by what is thrown here.
  throw new TypeError("onReading returned a promise: emit all points before it returns");
}

/** The code may be JavaScript: its types are not to be relied on. */
function checkShape(point: unknown): void {
  const fields = typeof point === "object" && point !== null && "fields" in point
    ? point.fields
    : undefined;
  if (typeof fields === "object" && fields !== null && !Array.isArray(fields)) return;
  throw new TypeError("Cannot emit a point: it has no fields; write emit({ fields: { name: 1 } })");
}

function writable(name: unknown): string {
  if (typeof name !== "string") {
    throw new TypeError(
      `Cannot emit a point: ${String(name)}, a name or the value of a tag, is no text`,
    );
  }
  if (isWritableName(name)) return name;
  throw new TypeError(
    `Cannot emit a point: the name ${JSON.stringify(name)} is empty or ends in a backslash`,
  );
}

/** The fields as line protocol; empty when none is left. */
function fieldsOf(point: CodePoint): string {
  const fields: string[] = [];
  for (const [name, value] of Object.entries(point.fields)) {
    if (typeof value === "number" && !Number.isFinite(value)) continue;
    fields.push(`${fieldKey(writable(name))}=${fieldValue(name, value)}`);
  }
  return fields.join(",");
}

function fieldValue(name: string, value: unknown): string {
  if (typeof value === "string") return quoteText(value);
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  throw new TypeError(`Cannot emit a point: the field ${name} is of type ${typeof value}`);
}

/** What is remembered of a point. */
interface Kept {
  readonly fields: readonly (readonly [name: string, value: number | string | boolean])[];
  readonly timeMs: number;
}

function keep(values: LastValues, { fields, timeMs }: Kept): void {
  let place = 0;
  for (const [name, value] of fields) {
    const number = Number(value);
    if (typeof value !== "string" && Number.isFinite(number)) {
      place = values.set(place, name, number, timeMs);
    }
  }
}
