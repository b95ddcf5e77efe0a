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
  addWatcher(watcher: Watcher): void;
  removeWatcher(watcher: Watcher): void;
}

/** Whether the end of what `ref` names can be watched; that of a reply address cannot. */
export function isWatchable(ref: ActorRef<never>): ref is WatchableRef {
  return "addWatcher" in ref && "removeWatcher" in ref;
}
