/**
 * The permission to publish, as it is checked for every message: on the bytes of the topic, without
 * making a text of them. Most sessions publish to one topic, so the last answer is kept.
 *
 * @module
 */

const slash = 0x2f;
const dollar = 0x24;
const plus = 0x2b;
const hash = 0x23;
const utf8 = new TextEncoder();
const nothing = new Uint8Array(0);

/** Topic filters, compiled. */
export class PublishPermit {
  readonly #filters: readonly Uint8Array[];
  /** The topic that was allowed last, in the first bytes of a buffer that is used again. */
  #last: Uint8Array = nothing;
  #lastLength = 0;

  constructor(filters: readonly string[]) {
    this.#filters = filters.map((filter) => utf8.encode(filter));
  }

  /** Whether the topic name in `bytes` from `start` to `end` may be published to. */
  allows(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#isLast(bytes, start, end)) return true;
    for (const filter of this.#filters) {
      if (!matches(filter, bytes, start, end)) continue;
      this.#keep(bytes, start, end);
      return true;
    }
    return false;
  }

  #keep(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (length > this.#last.length) this.#last = new Uint8Array(Math.max(64, length));
    const last = this.#last;
    for (let i = 0; i < length; i++) last[i] = bytes[start + i]!;
    this.#lastLength = length;
  }

  #isLast(bytes: Uint8Array, start: number, end: number): boolean {
    const last = this.#last;
    const length = this.#lastLength;
    if (length === 0 || length !== end - start) return false;
    for (let i = 0; i < length; i++) {
      if (last[i] !== bytes[start + i]) return false;
    }
    return true;
  }
}

/** As filterMatches in topic_filter.ts, on UTF-8: `/`, `+` and `#` are bytes of their own there. */
function matches(filter: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (start < end && bytes[start] === dollar && filter[0] !== dollar) return false;
  let at = start;
  let f = 0;
  for (;;) {
    const level = filter[f];
    if (level === hash) return true;
    if (level === plus) {
      f++;
      while (at < end && bytes[at] !== slash) at++;
    } else {
      while (f < filter.length && filter[f] !== slash) {
        if (at >= end || bytes[at] !== filter[f]) return false;
        f++;
        at++;
      }
      if (at < end && bytes[at] !== slash) return false;
    }
    // Both stand at the end of a level.
    if (f >= filter.length) return at >= end;
    if (at >= end) return f + 2 === filter.length && filter[f + 1] === hash; // `a/#` takes `a`
    f++;
    at++;
  }
}
