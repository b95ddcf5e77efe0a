/**
 * What is to be written to the file of kept sessions: gathered for a turn, then committed at once.
 *
 * @module
 */
import type { Clock, Timer } from "../../../runtime/clock.ts";
import type { CommitOp } from "./kept_commit.ts";

/** What may wait for something that is urgent, in number and time. */
const laterMax = 500;
const laterMs = 100;

/** See the module. */
export class KeptLog {
  readonly #clock: Clock;
  readonly #due: () => void;
  #ops: CommitOp[] = [];
  #urgent = false;
  #timer: Timer | undefined;

  /** `due`: what could wait has waited long enough. */
  constructor(clock: Clock, due: () => void) {
    this.#clock = clock;
    this.#due = due;
  }

  note(op: CommitOp, later: boolean): void {
    this.#ops.push(op);
    if (!later || this.#ops.length >= laterMax) this.#urgent = true;
    this.#timer ??= this.#clock.setTimer(laterMs, () => {
      this.#timer = undefined;
      this.#urgent ||= this.#ops.length > 0;
      this.#due();
    });
  }

  /** What is to be committed now; with `all`, what could wait too. */
  take(all: boolean): readonly CommitOp[] | undefined {
    if (this.#ops.length === 0 || (!this.#urgent && !all)) return undefined;
    const ops = this.#ops;
    this.#ops = [];
    this.#urgent = false;
    return ops;
  }

  /** Could not be committed. What nobody was promised is tried again. */
  giveBack(ops: readonly CommitOp[]): void {
    for (const op of ops) if (op.kind === "done") this.note(op, true);
  }

  close(): void {
    this.#timer?.clear();
    this.#timer = undefined;
  }
}
