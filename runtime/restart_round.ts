/**
 * A restart of one child or several: first the one that failed ends, then the others one by one,
 * the youngest first; after the backoff they start again in their order.
 *
 * @module
 */
import type { Cell } from "./cell.ts";
import type { CellHost } from "./cell_host.ts";
import type { Timer } from "./clock.ts";
import type { Runnable } from "./dispatcher.ts";

/** What comes after the end of a round's member: a temporary child does not come back. */
export function afterRound(member: Cell): "stopped" | "restart" {
  return member.settings.restart === "temporary" ? "stopped" : "restart";
}

export class RestartRound implements Runnable {
  /** In start order. */
  readonly members: Set<Cell>;
  readonly delayMs: number;
  readonly #host: CellHost;
  readonly #over: () => void;
  #phase: "ending" | "waiting" | "over" = "ending";
  #timer: Timer | undefined;

  /** `over` is called before the members start again. */
  constructor(host: CellHost, members: Set<Cell>, delayMs: number, over: () => void) {
    this.#host = host;
    this.members = members;
    this.delayMs = delayMs;
    this.#over = over;
  }

  /** Ends the next member, or, when all have ended, goes on to the wait and the start. */
  advance(): void {
    if (this.#phase !== "ending") return;
    const left = [...this.members].filter((member) => member.state !== "waiting");
    if (left.some((member) => member.state !== "running")) return;
    const member = left.at(-1);
    if (member !== undefined) return member.end("shutdown", afterRound(member));
    this.#phase = "waiting";
    const { clock, dispatcher } = this.#host;
    if (this.delayMs > 0) this.#timer = clock.setTimer(this.delayMs, () => this.turn());
    // In a turn of its own: the last member that ended is still in its turn, and could not be
    // queued in its place among the others.
    else dispatcher.enqueue(this);
  }

  /** Somebody ended for good. */
  remove(member: Cell): void {
    this.members.delete(member);
    if (this.members.size === 0) this.cancel();
    else this.advance();
  }

  /** The members belong to another round now, or nobody is to start. */
  cancel(): void {
    this.#phase = "over";
    this.#timer?.clear();
  }

  turn(): boolean {
    if (this.#phase !== "waiting") return false;
    this.#phase = "over";
    this.#over();
    for (const member of this.members) member.resume();
    return false;
  }
}
