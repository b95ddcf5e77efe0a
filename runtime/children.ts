/**
 * The children of one actor: carries out what a supervisor decides about them, and stops them in
 * the order asked for. Restarts that meet in a child become one round.
 *
 * @module
 */
import type { ActorRef, SupervisionSpec } from "./actor.ts";
import { backoffDelayMs } from "./backoff.ts";
import type { Cell } from "./cell.ts";
import { SupervisionEvent } from "./cell_host.ts";
import type { Failure } from "./failure.ts";
import { afterRound, RestartRound } from "./restart_round.ts";
import type { RestartWindow } from "./restart_window.ts";
import { pathIds } from "./settings.ts";
import { type ChildExit, countsTogether, decide, restartGroup } from "./supervisor.ts";

export class Children {
  readonly #owner: Cell;
  /** In start order. */
  readonly #byId = new Map<string, Cell>();
  readonly #roundOf = new Map<Cell, RestartRound>();
  #window: RestartWindow = [];
  /** While all are being stopped: what to call then, and who is left, in start order. */
  #stopping: { readonly done: () => void; readonly left: Cell[] } | undefined;

  constructor(owner: Cell) {
    this.#owner = owner;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** A second child of one id is an error. */
  add(child: Cell): void {
    if (this.#byId.has(child.id)) {
      throw new Error(`Cannot start ${child.id} under ${this.#owner.path}: it is there already`);
    }
    this.#byId.set(child.id, child);
  }

  get(id: string): Cell | undefined {
    return this.#byId.get(id);
  }

  /** By its ref; a ref to an earlier child of the same id finds nothing. */
  find(ref: ActorRef<never>): Cell | undefined {
    const child = this.#byId.get(pathIds(ref.path).at(-1) ?? "");
    return child?.self === ref ? child : undefined;
  }

  /** In start order; sees children that come and go meanwhile. */
  values(): MapIterator<Cell> {
    return this.#byId.values();
  }

  /** A child threw, or stopped itself. */
  exited(child: Cell, exit: ChildExit, failure: Failure | undefined): void {
    if (this.#roundOf.has(child)) return child.end(exit, afterRound(child), failure);
    if (this.#stopping !== undefined) return child.end(exit, "stopped", failure);
    const { supervision } = this.#owner.settings;
    const { clock } = this.#owner.host;
    const together = countsTogether(supervision);
    const decision = decide(
      supervision,
      child.settings.restart,
      exit,
      together ? this.#window : child.extras.window,
      clock.monotonic(),
    );
    const delayMs = decision.kind === "restart" ? this.#delayMs(child) : 0;
    const decided = decision.kind === "exceeded" ? decision.then : decision.kind;
    this.#owner.host.supervised(new SupervisionEvent(child, exit, failure, decided, delayMs));
    switch (decision.kind) {
      case "remove":
        return child.end(exit, "stopped", failure);
      case "restart":
        if (together) this.#window = decision.window;
        else child.extras.window = decision.window;
        child.end(exit, "restart", failure);
        return this.#restart(child, delayMs);
      case "exceeded":
        return this.#giveUp(child, exit, failure, decision.then);
      default:
        decision satisfies never;
    }
  }

  /** A child's incarnation has ended, and the next one waits. */
  paused(child: Cell): void {
    this.#roundOf.get(child)?.advance();
  }

  /** A child has ended for good. */
  gone(child: Cell): void {
    const round = this.#roundOf.get(child);
    this.#byId.delete(child.id);
    this.#roundOf.delete(child);
    round?.remove(child);
    if (this.#stopping !== undefined) this.#stopNext(this.#stopping);
  }

  /** Ends all children for good, then calls `done`. */
  stopAll(done: () => void): void {
    this.#stopping = { done, left: [...this.#byId.values()] };
    for (const round of this.#roundOf.values()) round.cancel();
    this.#roundOf.clear();
    if (this.#owner.settings.stopChildren === "together") {
      for (const child of this.#byId.values()) child.end("shutdown", "stopped");
    }
    this.#stopNext(this.#stopping);
  }

  #stopNext(stopping: { readonly done: () => void; readonly left: Cell[] }): void {
    if (this.#byId.size === 0) return stopping.done();
    if (this.#owner.settings.stopChildren === "together") return;
    for (let last = stopping.left.at(-1); last !== undefined; last = stopping.left.at(-1)) {
      if (last.state !== "stopped") return last.end("shutdown", "stopped");
      stopping.left.pop();
    }
  }

  #giveUp(
    child: Cell,
    exit: ChildExit,
    failure: Failure | undefined,
    then: SupervisionSpec["onExceeded"],
  ): void {
    if (then === "quarantine") return child.end("quarantined", "quarantined", failure);
    child.end(exit, "stopped", failure);
    if (then === "stop") return;
    const { intensity, periodMs } = this.#owner.settings.supervision;
    const cause = failure === undefined ? "it completed" : failure.message;
    this.#owner.escalate(
      new Error(`${child.path} needed more than ${intensity} restarts in ${periodMs} ms: ${cause}`),
    );
  }

  #delayMs(child: Cell): number {
    const { backoff } = this.#owner.settings.supervision;
    if (backoff === undefined) return 0;
    const { clock, random } = this.#owner.host;
    if (clock.monotonic() - child.extras.resumedMs >= backoff.resetMs) child.extras.attempts = 0;
    return backoffDelayMs(backoff, child.extras.attempts++, random);
  }

  #restart(failed: Cell, delayMs: number): void {
    const { strategy } = this.#owner.settings.supervision;
    const group = new Set(restartGroup(strategy, this.#byId.values(), failed));
    let longestMs = delayMs;
    for (const round of new Set([...group].map((member) => this.#roundOf.get(member)))) {
      if (round === undefined) continue;
      for (const member of round.members) group.add(member);
      longestMs = Math.max(longestMs, round.delayMs);
      round.cancel();
    }
    const members = group.size === 1 ? group : this.#inStartOrder(group);
    const round = new RestartRound(this.#owner.host, members, longestMs, () => {
      for (const member of members) this.#roundOf.delete(member);
    });
    for (const member of members) this.#roundOf.set(member, round);
    round.advance();
  }

  /** Without those that were given up on. */
  #inStartOrder(group: ReadonlySet<Cell>): Set<Cell> {
    const all = [...this.#byId.values()];
    return new Set(all.filter((child) => group.has(child) && child.state !== "quarantined"));
  }
}
