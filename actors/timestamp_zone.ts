/**
 * Local times of a named zone: for devices that write a time without saying where they are.
 *
 * @module
 */

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const cachedHoursMax = 1024;

/**
 * An IANA time zone. Where a clock is set back and a local time comes twice, the first one is
 * meant; a local time that was skipped counts on from before the gap.
 */
export class TimeZone {
  readonly #format: Intl.DateTimeFormat;
  /** Offset by local hour, or NaN where it changes within. */
  readonly #offsets = new Map<number, number>();

  /** @throws {RangeError} for a zone that does not exist. */
  constructor(readonly name: string) {
    this.#format = new Intl.DateTimeFormat("en-US", {
      timeZone: name,
      calendar: "iso8601",
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  }

  /** What to subtract from a local time, given as ms as if it were UTC, to have UTC. */
  offsetOfLocalMs(localMs: number): number {
    const hour = Math.floor(localMs / hourMs);
    let offset = this.#offsets.get(hour);
    if (offset === undefined) {
      const first = this.#compute(hour * hourMs);
      offset = first === this.#compute(hour * hourMs + hourMs - 1000) ? first : NaN;
      if (this.#offsets.size >= cachedHoursMax) this.#offsets.clear();
      this.#offsets.set(hour, offset);
    }
    return Number.isNaN(offset) ? this.#compute(localMs) : offset;
  }

  #compute(localMs: number): number {
    const before = this.#offsetAt(localMs - dayMs);
    const after = this.#offsetAt(localMs + dayMs);
    for (const offset of [before, after]) {
      if (this.#offsetAt(localMs - offset) === offset) return offset;
    }
    return before;
  }

  /** The zone's offset at a moment. */
  #offsetAt(utcMs: number): number {
    const part: Record<string, number> = {};
    for (const { type, value } of this.#format.formatToParts(utcMs)) part[type] = Number(value);
    const local = Date.UTC(
      part["year"]!,
      part["month"]! - 1,
      part["day"]!,
      part["hour"]!,
      part["minute"]!,
      part["second"]!,
    );
    return local - Math.floor(utcMs / 1000) * 1000;
  }
}
