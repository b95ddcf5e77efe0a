/**
 * Times as devices write them, read exactly: never through a floating-point number that would round
 * away nanoseconds. A time is kept as whole ms since the epoch and the ns within that ms.
 *
 * What is finer than a ns is cut off. Without a format, a number is read by its size: up to 11
 * digits before the point are seconds, up to 14 ms, up to 17 µs, more are ns. That is right for
 * every time from 1973 to 5138; a route for older times names its format.
 *
 * @module
 */
import type { TimeZone } from "./timestamp_zone.ts";

/** How a route's timestamps are written. `auto`: RFC 3339, or a number by its size. */
export const timestampFormats = ["auto", "rfc3339", "s", "ms", "us", "ns"] as const;
export type TimestampFormat = typeof timestampFormats[number];

/** What came of reading a time; the words are reasons of dead letters. */
export type TimestampOutcome = "read" | "timestamp_unreadable" | "timestamp_out_of_range";

/** ns in a unit, as a power of ten. */
const unitPowers = { s: 9, ms: 6, us: 3, ns: 0 } as const;

/** InfluxDB's smallest and largest time: the int64 of ns, less the values it keeps for itself. */
const minMs = -9_223_372_036_855;
const minNs = 224_194;
const maxMs = 9_223_372_036_854;
const maxNs = 775_806;

const minus = 0x2d;
const zero = 0x30;

/**
 * Reads times out of payloads; reusable.
 *
 * @example
 * ```ts
 * import { TimestampReader } from "./timestamp.ts";
 * import assert from "node:assert/strict";
 *
 * const time = new TimestampReader();
 * const text = new TextEncoder().encode("2019-11-26T03:54:20.000000001+03:00");
 * assert.equal(time.read(text, 0, text.length, "auto"), "read");
 * assert.deepEqual([time.ms, time.ns], [1574729660000, 1]);
 * ```
 */
export class TimestampReader {
  /** Whole ms since the epoch. */
  ms = 0;
  /** ns within the ms, 0 to 999999. */
  ns = 0;
  #data: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;

  /** Reads `data[start..end)`. A local time without a zone needs `zone`. */
  read(
    data: Uint8Array,
    start: number,
    end: number,
    format: TimestampFormat,
    zone?: TimeZone,
  ): TimestampOutcome {
    this.#data = data;
    this.#at = start;
    this.#end = end;
    const isDate = end - start >= 5 && data[start + 4] === minus;
    if (format === "rfc3339" && !isDate) return "timestamp_unreadable";
    if (format !== "auto" && format !== "rfc3339" && isDate) return "timestamp_unreadable";
    const taken = isDate ? this.#date(zone) : this.#epoch(format === "rfc3339" ? "auto" : format);
    if (!taken) return "timestamp_unreadable";
    const tooEarly = this.ms < minMs || (this.ms === minMs && this.ns < minNs);
    const tooLate = this.ms > maxMs || (this.ms === maxMs && this.ns > maxNs);
    return tooEarly || tooLate ? "timestamp_out_of_range" : "read";
  }

  /** RFC 3339, also with `+0300`, with a space for the `T`, and local with a zone given. */
  #date(zone: TimeZone | undefined): boolean {
    const year = this.#digits(4);
    if (!this.#skip("-")) return false;
    const month = this.#digits(2);
    if (!this.#skip("-")) return false;
    const day = this.#digits(2);
    if (!this.#skip("Tt ")) return false;
    const hour = this.#digits(2);
    if (!this.#skip(":")) return false;
    const minute = this.#digits(2);
    if (!this.#skip(":")) return false;
    const second = this.#digits(2);
    // Every failed number is negative. A leap second is 60; it is the next second.
    if (
      year < 0 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) ||
      hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60
    ) return false;
    const fraction = this.#skip(".,") ? this.#fraction() : 0;
    if (fraction < 0) return false;
    const localMs = (((daysFromCivil(year, month, day) * 24 + hour) * 60 + minute) * 60 + second) *
      1000;
    let offsetMs = 0;
    if (this.#at === this.#end) {
      if (zone === undefined) return false;
      // Before 1600 the time is out of range whatever the zone, and Date.UTC reads years otherwise.
      offsetMs = year < 1600 ? 0 : zone.offsetOfLocalMs(localMs);
    } else if (!this.#skip("Zz")) {
      const sign = this.#skip("-") ? -1 : this.#skip("+") ? 1 : 0;
      const offsetHour = this.#digits(2);
      this.#skip(":");
      const offsetMinute = this.#digits(2);
      if (sign === 0 || offsetHour < 0 || offsetHour > 23) return false;
      if (offsetMinute < 0 || offsetMinute > 59) return false;
      offsetMs = sign * (offsetHour * 60 + offsetMinute) * 60_000;
    }
    const wholeMs = Math.floor(fraction / 1e6);
    this.ms = localMs - offsetMs + wholeMs;
    this.ns = fraction - wholeMs * 1e6;
    return this.#at === this.#end;
  }

  /** Digits of a second's fraction as ns; at least one. */
  #fraction(): number {
    const start = this.#at;
    let ns = 0;
    for (let i = 0; i < 9 || this.#digit() >= 0; i++) {
      const digit = this.#digit();
      if (i < 9) ns = ns * 10 + Math.max(0, digit);
      if (digit >= 0) this.#at++;
    }
    return this.#at === start ? -1 : ns;
  }

  /** A number of some unit since the epoch. */
  #epoch(format: TimestampFormat): boolean {
    const whole = wholeNumber(this.#data, this.#at, this.#end);
    if (whole < 0) return this.#decimal(format);
    const unit = format !== "auto" && format !== "rfc3339" ? format : unitOf(whole);
    const perMs = unit === "us" ? 1e3 : 1e6;
    switch (unit) {
      case "s":
        this.ms = whole * 1e3;
        this.ns = 0;
        return true;
      case "ms":
        this.ms = whole;
        this.ns = 0;
        return true;
      case "us":
      case "ns":
        this.ms = Math.floor(whole / perMs);
        this.ns = (whole - this.ms * perMs) * (1e6 / perMs);
        return true;
    }
  }

  /** The same for numbers with a sign, a fraction, an exponent, or more than 15 digits. */
  #decimal(format: TimestampFormat): boolean {
    const data = this.#data;
    const end = this.#end;
    let at = this.#at;
    const negative = data[at] === minus;
    if (negative) at++;
    const first = at;
    let point = -1;
    for (; at < end; at++) {
      const byte = data[at]!;
      if (byte === 0x2e && point < 0) point = at;
      else if (byte < zero || byte > zero + 9) break;
    }
    const digitsEnd = at;
    if (point < 0) point = digitsEnd;
    if (point === first || point === digitsEnd - 1) return false;
    let exponent = 0;
    if (at < end) {
      if ((data[at]! | 0x20) !== 0x65) return false;
      exponent = this.#exponent(at + 1);
      if (Number.isNaN(exponent)) return false;
    }
    let start = first;
    while (start < digitsEnd && (data[start] === zero || data[start] === 0x2e)) start++;
    // Digits before the point, once the exponent has moved it, counted from the first that is not 0.
    const whole = point - start + (start > point ? 1 : 0) + exponent;
    const unit = format !== "auto" && format !== "rfc3339"
      ? format
      : whole <= 11
      ? "s"
      : whole <= 14
      ? "ms"
      : whole <= 17
      ? "us"
      : "ns";
    return this.#scale(start, digitsEnd, whole + unitPowers[unit], negative);
  }

  /** The digits from `at` on, of which the first `count` are whole ns, become ms and ns. */
  #scale(at: number, end: number, count: number, negative: boolean): boolean {
    const data = this.#data;
    let ms = 0;
    let ns = 0;
    if (at < end && count > 20) ms = Infinity;
    else {
      for (let i = 0; i < count; at++) {
        if (data[at] === 0x2e && at < end) continue;
        const digit = at < end ? data[at]! - zero : 0;
        if (i < count - 6) ms = ms * 10 + digit;
        else ns = ns * 10 + digit;
        i++;
      }
    }
    if (negative && ns > 0) {
      ms++;
      ns = 1e6 - ns;
    }
    this.ms = negative ? -ms : ms;
    this.ns = ns;
    return true;
  }

  #exponent(at: number): number {
    const data = this.#data;
    const negative = data[at] === minus;
    if (negative || data[at] === 0x2b) at++;
    if (at >= this.#end) return NaN;
    let value = 0;
    for (; at < this.#end; at++) {
      const digit = data[at]! - zero;
      if (!(digit >= 0 && digit <= 9)) return NaN;
      value = Math.min(value * 10 + digit, 1000);
    }
    return negative ? -value : value;
  }

  #digit(): number {
    const digit = this.#at < this.#end ? this.#data[this.#at]! - zero : -1;
    return digit <= 9 ? digit : -1;
  }

  /** A number of exactly `count` digits; negative when it is none. */
  #digits(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) {
      const digit = this.#digit();
      if (digit < 0) return -1;
      value = value * 10 + digit;
      this.#at++;
    }
    return value;
  }

  /** Steps over one of the characters, if it is there. */
  #skip(characters: string): boolean {
    if (this.#at >= this.#end) return false;
    const byte = this.#data[this.#at]!;
    for (let i = 0; i < characters.length; i++) {
      if (characters.charCodeAt(i) !== byte) continue;
      this.#at++;
      return true;
    }
    return false;
  }
}

/** The unit of a whole number of at most 15 digits, by its size. */
function unitOf(whole: number): "s" | "ms" | "us" {
  return whole < 1e11 ? "s" : whole < 1e14 ? "ms" : "us";
}

/** A number of 1 to 15 digits and nothing else, exact; -1 for any other text. */
function wholeNumber(data: Uint8Array, from: number, to: number): number {
  if (to <= from || to - from > 15) return -1;
  // In two halves that each fit 31 bits.
  const middle = Math.max(from, to - 9);
  let high = 0;
  let low = 0;
  for (let at = from; at < to; at++) {
    const digit = data[at]! - zero;
    if (digit < 0 || digit > 9) return -1;
    if (at < middle) high = Math.imul(high, 10) + digit;
    else low = Math.imul(low, 10) + digit;
  }
  return high * 1e9 + low;
}

const monthDays = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function daysIn(year: number, month: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 2 && isLeap ? 29 : monthDays[month - 1]!;
}

/** Days since 1970-01-01 in the proleptic Gregorian calendar (Hinnant's `days_from_civil`). */
function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) +
    dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}
