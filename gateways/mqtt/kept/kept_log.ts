/**
 * What is to be written to the file of kept sessions: gathered for a turn, then committed at once.
 *
 * @module
 */
import type { Clock, Timer } from "../../../runtime/clock.ts";
import type { CommitOp } from "./kept_op.ts";

/** What may wait for something that is urgent, in number, about, and time. */
const laterMax = 500;
const laterMs = 100;
/** When the file has failed. */
const againMs = 1_000;

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
    if (!later) this.#urgent = true;
    if (this.#ops.length === laterMax) this.#dueIn(0);
    else if (this.#timer === undefined) this.#dueIn(laterMs);
  }

  /** What is to be committed now; with `all`, what could wait too. */
  take(all: boolean): readonly CommitOp[] | undefined {
    if (this.#ops.length === 0 || (!this.#urgent && !all)) return undefined;
    const ops = this.#ops;
    this.#ops = [];
    this.#urgent = false;
    return ops;
  }

  /** Could not be committed. What nobody waits for is tried again. */
  giveBack(ops: readonly CommitOp[]): void {
    const again = ops.filter(({ kind }) => kind === "done" || kind === "sent");
    this.#ops = [...again, ...this.#ops];
    if (again.length > 0) this.#dueIn(againMs);
  }

  close(): void {
    this.#timer?.clear();
    this.#timer = undefined;
  }

  #dueIn(ms: number): void {
    this.#timer?.clear();
    this.#timer = this.#clock.setTimer(ms, () => {
      this.#timer = undefined;
      this.#due();
    });
  }
}
