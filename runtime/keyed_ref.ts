/**
 * The address of a key: good for ever, whether its actor is active or not.
 *
 * @module
 */
import type { TellResult } from "./actor.ts";
import type { Cell, Handle } from "./cell.ts";
import type { Keyed } from "./keyed.ts";
import { pathStep } from "./settings.ts";
import { shownAs, shownRef } from "./shown_ref.ts";
import type { WatchableRef, Watcher } from "./watch.ts";

/** The address of a key. Sending to it makes the actor when it is not active. */
export class KeyedRef<M> implements Handle, WatchableRef {
  readonly #keyed: Keyed<M>;
  readonly key: string;
  #cell: Cell | undefined;
  /** What the mailbox had ever accepted at the last visit, and when that last changed. */
  #accepted = 0;
  #changedMs = 0;

  constructor(keyed: Keyed<M>, key: string) {
    this.#keyed = keyed;
    this.key = key;
  }

  get path(): string {
    return `${this.#keyed.path}/${pathStep(this.key)}`;
  }

  /** The parent of all its actors. */
  get group(): WatchableRef {
    return this.#keyed.group;
  }

  [shownAs](): string {
    return shownRef(this);
  }

  /** There may be several handles of a key, and several groups of a path. */
  get identity(): string {
    return `${this.#keyed.number}/${this.key}`;
  }

  tell(message: M): TellResult {
    const answer = this.#cell?.tell(message);
    if (answer !== undefined && answer !== "stopped") return answer;
    const cell = this.#keyed.activate(this);
    if (cell === "full" || cell === "stopped") return cell;
    this.#cell = cell;
    return cell.tell(message);
  }

  /** Part of {@linkcode Handle}: a handle that is kept must not keep what was passivated. */
  ended(): void {
    this.#cell = undefined;
  }

  /** Watches the actor that is active now; one that is not counts as passivated. */
  addWatcher(watcher: Watcher): void {
    const cell = this.#keyed.find(this.key);
    if (cell === undefined) watcher.terminated(this, "passivated");
    else cell.addWatcher(watcher);
  }

  removeWatcher(watcher: Watcher): void {
    this.#keyed.find(this.key)?.removeWatcher(watcher);
  }

  /** A new actor is about to stand behind it. */
  reset(nowMs: number): void {
    this.#accepted = 0;
    this.#changedMs = nowMs;
  }

  /** How long `cell` has had no new mail, in ms; -1 when it had since the last visit. */
  visit(cell: Cell, nowMs: number): number {
    const { accepted } = cell.mailbox;
    if (accepted === this.#accepted) return nowMs - this.#changedMs;
    this.#accepted = accepted;
    this.#changedMs = nowMs;
    return -1;
  }
}
