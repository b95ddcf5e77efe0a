/**
 * Watching another actor's end: the two sides of it, so that actors of this system and those
 * behind a port can watch each other.
 *
 * @module
 */
import type { ActorRef, StopReason } from "./actor.ts";

/** Who wants to know. */
export interface Watcher {
  /** Told once, also when the actor was gone before it was watched. Never throws. */
  terminated(ref: ActorRef<never>, reason: StopReason): void;
}

/** A ref whose end can be watched. */
export interface WatchableRef extends ActorRef<never> {
  /** Equal for all refs to one actor, or key, and no other: paths are not, systems may share a name. */
  readonly identity: unknown;
  addWatcher(watcher: Watcher): void;
  removeWatcher(watcher: Watcher): void;
}

/** One watch by an actor. What it is told waits for the actor's turn, and may be unwanted by then. */
export class Watch implements Watcher {
  readonly ref: WatchableRef;
  readonly #tell: (watch: Watch, ref: ActorRef<never>, reason: StopReason) => void;
  #told = false;

  constructor(
    ref: WatchableRef,
    tell: (watch: Watch, ref: ActorRef<never>, reason: StopReason) => void,
  ) {
    this.ref = ref;
    this.#tell = tell;
  }

  /** The end came; the actor may not have heard of it yet. */
  get told(): boolean {
    return this.#told;
  }

  terminated(ref: ActorRef<never>, reason: StopReason): void {
    this.#told = true;
    this.#tell(this, ref, reason);
  }
}

/** Whether the end of what `ref` names can be watched; that of a reply address cannot. */
export function isWatchable(ref: ActorRef<never>): ref is WatchableRef {
  return "identity" in ref && "addWatcher" in ref && "removeWatcher" in ref;
}
