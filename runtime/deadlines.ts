/**
 * Many deadlines on few timers. A timer of the event loop costs 2.5 µs; an ask must not. Deadlines
 * of one length fall due in the order they were set, so each length needs one list and one timer.
 *
 * @module
 */
import type { Clock, Timer } from "./clock.ts";

/** Something that can fall due; it is its own list node. */
export abstract class Deadline {
  dueMs = 0;
  line: DeadlineLine | undefined;
  before: Deadline | undefined;
  after: Deadline | undefined;

  /** Called once when the time, `afterMs`, is up. Must not throw. */
  abstract due(afterMs: number): void;

  /** Called instead when nobody waits for the time any more. Must not throw. */
  closed(): void {}

  /** Takes it off its list; does nothing when it fell due already. */
  clear(): void {
    this.line?.remove(this);
  }
}

/** The deadlines of one length, oldest first. */
class DeadlineLine {
  #first: Deadline | undefined;
  #last: Deadline | undefined;
  #timer: Timer | undefined;

  constructor(readonly clock: Clock, readonly delayMs: number, readonly emptied: () => void) {}

  add(deadline: Deadline): void {
    deadline.dueMs = this.clock.monotonic() + this.delayMs;
    deadline.line = this;
    deadline.before = this.#last;
    if (this.#last === undefined) this.#first = deadline;
    else this.#last.after = deadline;
    this.#last = deadline;
    this.#timer ??= this.clock.setTimer(this.delayMs, () => this.#fire());
  }

  remove(deadline: Deadline): void {
    if (deadline.before === undefined) this.#first = deadline.after;
    else deadline.before.after = deadline.after;
    if (deadline.after === undefined) this.#last = deadline.before;
    else deadline.after.before = deadline.before;
    deadline.line = deadline.before = deadline.after = undefined;
  }

  close(): void {
    this.#timer?.clear();
    this.#timer = undefined;
    for (let first = this.#first; first !== undefined; first = this.#first) {
      this.remove(first);
      first.closed();
    }
  }

  #fire(): void {
    this.#timer = undefined;
    const nowMs = this.clock.monotonic();
    for (let first = this.#first; first !== undefined; first = this.#first) {
      // The event loop's timers count whole ms and may be early by a part of one.
      if (first.dueMs > nowMs + 0.5) {
        this.#timer = this.clock.setTimer(first.dueMs - nowMs, () => this.#fire());
        return;
      }
      this.remove(first);
      first.due(this.delayMs);
    }
    this.emptied();
  }
}

/** The deadlines of one actor system. */
export class Deadlines {
  readonly #clock: Clock;
  readonly #lines = new Map<number, DeadlineLine>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `deadline.due` is called after `delayMs`, unless it is cleared before. */
  set(deadline: Deadline, delayMs: number): void {
    let line = this.#lines.get(delayMs);
    if (line === undefined) {
      line = new DeadlineLine(this.#clock, delayMs, () => this.#lines.delete(delayMs));
      this.#lines.set(delayMs, line);
    }
    line.add(deadline);
  }

  /** Lets go of every timer; what was still open does not fall due, and is told so. */
  close(): void {
    for (const line of this.#lines.values()) line.close();
    this.#lines.clear();
  }
}
