/**
 * When each message of a run is due. The messages of all connections are numbered through and dealt
 * out in turn: message `g` belongs to connection `g mod connections`.
 *
 * @module
 */
import type { Schedule } from "./publisher.ts";

/** A run's schedule: one {@linkcode Schedule} per connection. */
export interface LoadSchedule {
  /** Messages are due from now on. */
  start(nowMs: number): void;
  /** No message falls due any more. */
  stop(nowMs: number): void;
  of(connection: number): ConnectionSchedule;
  /** Messages of all connections due by now; infinite when flat out. */
  due(nowMs: number): number;
  /** When the next message falls due after the first `due`; infinite when it needs no waking. */
  nextMs(due: number): number;
}

export interface ConnectionSchedule extends Schedule {
  /** True when no message follows the `sent` that there were. */
  finished(sent: number, nowMs: number): boolean;
}

/** Clock readings are sums of doubles: 3 s may come out as 2999.9999999 ms. */
const roundingMs = 1e-6;

/**
 * Open loop: so many messages a second, whatever the server does. What it cannot take in time
 * stays due and is sent later.
 */
export class OpenLoop implements LoadSchedule {
  readonly #perMs: number;
  readonly #connections: number;
  readonly #countMax: number;
  #startMs = Infinity;
  #stopMs = Infinity;

  constructor(ratePerS: number, connections: number, countMax: number) {
    if (!(ratePerS > 0)) throw new RangeError(`Cannot send ${ratePerS} messages a second`);
    this.#perMs = ratePerS / 1_000;
    this.#connections = connections;
    this.#countMax = countMax;
  }

  start(nowMs: number): void {
    this.#startMs = nowMs;
  }

  stop(nowMs: number): void {
    this.#stopMs = Math.min(this.#stopMs, nowMs);
  }

  due(nowMs: number): number {
    const elapsedMs = Math.min(nowMs, this.#stopMs) - this.#startMs + roundingMs;
    return elapsedMs < 0 ? 0 : Math.min(Math.floor(elapsedMs * this.#perMs), this.#countMax);
  }

  nextMs(due: number): number {
    return due < this.#countMax ? this.#startMs + (due + 1) / this.#perMs : Infinity;
  }

  of(connection: number): ConnectionSchedule {
    const allowed = (nowMs: number) => share(this.due(nowMs), connection, this.#connections);
    return {
      allowed,
      dueMs: (k) => this.#startMs + (k * this.#connections + connection + 1) / this.#perMs,
      finished: (sent, nowMs) =>
        (nowMs >= this.#stopMs || this.due(nowMs) >= this.#countMax) && sent >= allowed(nowMs),
    };
  }
}

/** As fast as acknowledgements come. */
export class FlatOut implements LoadSchedule {
  readonly #connections: number;
  readonly #countMax: number;
  #running = false;
  #stopped = false;

  constructor(connections: number, countMax: number) {
    this.#connections = connections;
    this.#countMax = countMax;
  }

  start(): void {
    this.#running = true;
  }

  stop(): void {
    this.#stopped = true;
    this.#running = false;
  }

  due(): number {
    return this.#running ? this.#countMax : 0;
  }

  nextMs(): number {
    return Infinity;
  }

  of(connection: number): ConnectionSchedule {
    const countMax = share(this.#countMax, connection, this.#connections);
    return {
      allowed: () => this.#running ? countMax : 0,
      dueMs: (_k, nowMs) => nowMs,
      finished: (sent) => this.#stopped || sent >= countMax,
    };
  }
}

/** How many of the first `total` messages belong to `connection`. */
function share(total: number, connection: number, connections: number): number {
  return Math.max(0, Math.ceil((total - connection) / connections));
}
