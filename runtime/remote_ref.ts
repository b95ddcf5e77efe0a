/**
 * The address of an actor in another Worker. It has the same `tell` as one near by.
 *
 * @module
 */
import type { ActorRef, StopReason, TellResult } from "./actor.ts";
import { isFields } from "./fields.ts";
import type { Target } from "./frames.ts";
import { shownAs, shownRef } from "./shown_ref.ts";
import type { WatchableRef, Watcher } from "./watch.ts";

/** What a remote ref needs of its link. */
export interface RemoteRoute {
  /** Why the other Worker cannot be reached any more; `undefined` while it can. */
  readonly lost: StopReason | undefined;
  tell(ref: RemoteRef, message: unknown): TellResult;
  watch(ref: RemoteRef): void;
  unwatch(ref: RemoteRef): void;
}

/** A ref for a single answer, as a question carries it. Answers go by the control lane. */
export interface OneShotRef<M> extends ActorRef<M> {
  readonly oneShot: true;
  /** False once the answer, or its deadline, has come. */
  readonly open: boolean;
}

export function isOneShot(ref: object): ref is OneShotRef<never> {
  return "oneShot" in ref && ref.oneShot === true && "open" in ref;
}

/** Whether a value that came from another Worker is a ref, of this side or the other. */
export function isRef(value: unknown): value is ActorRef<unknown> {
  return isFields(value) && typeof value.tell === "function" && typeof value.path === "string";
}

/**
 * `tell` answers `full` when the link has no credit, and `stopped` when the other Worker is lost;
 * then the message is published as a dead letter too, because most senders do not look.
 */
export class RemoteRef implements WatchableRef {
  readonly #watchers = new Set<Watcher>();

  constructor(
    readonly route: RemoteRoute,
    readonly target: Target,
    readonly path: string,
    readonly oneShot: boolean,
  ) {}

  tell(message: unknown): TellResult {
    return this.route.tell(this, message);
  }

  [shownAs](): string {
    return shownRef(this);
  }

  get identity(): this {
    return this;
  }

  addWatcher(watcher: Watcher): void {
    if (this.route.lost !== undefined) return watcher.terminated(this, this.route.lost);
    this.#watchers.add(watcher);
    if (this.#watchers.size === 1) this.route.watch(this);
  }

  removeWatcher(watcher: Watcher): void {
    if (this.#watchers.delete(watcher) && this.#watchers.size === 0) this.route.unwatch(this);
  }

  /** The actor has ended, or cannot be reached any more. */
  ended(reason: StopReason): void {
    const watchers = [...this.#watchers];
    this.#watchers.clear();
    for (const watcher of watchers) watcher.terminated(this, reason);
  }
}

/** A ref that came home to an actor that is no more. */
export class LostRef implements ActorRef<unknown> {
  constructor(readonly path: string) {}

  tell(): TellResult {
    return "stopped";
  }
}
