/**
 * Names for actors that others look up: the name goes when its actor does, that of a key when its
 * group does.
 *
 * @module
 */
import type { ActorRef, StopReason } from "./actor.ts";
import { KeyedRef } from "./keyed_ref.ts";
import { isWatchable, type WatchableRef, type Watcher } from "./watch.ts";

/** The named actors of one system. */
export class Registry implements Watcher {
  readonly #byName = new Map<string, ActorRef<never>>();

  /** Throws when the name is taken. */
  register(name: string, ref: ActorRef<never>): void {
    const holder = this.#byName.get(name);
    if (holder !== undefined) {
      throw new Error(`Cannot register ${ref.path} as ${name}: ${holder.path} has that name`);
    }
    this.#byName.set(name, ref);
    lifeOf(ref)?.addWatcher(this);
  }

  unregister(name: string): void {
    const ref = this.#byName.get(name);
    this.#byName.delete(name);
    const life = ref && lifeOf(ref);
    const others = [...this.#byName.values()];
    if (!others.some((other) => lifeOf(other) === life)) life?.removeWatcher(this);
  }

  /** The caller knows which messages the actor of that name takes. */
  lookup<M>(name: string): ActorRef<M> | undefined {
    return this.#byName.get(name);
  }

  names(): string[] {
    return [...this.#byName.keys()];
  }

  /** Part of {@linkcode Watcher}. */
  terminated(ref: ActorRef<never>, reason: StopReason): void {
    if (reason === "passivated") return; // A key of another Worker, whose group is not known here.
    for (const [name, holder] of this.#byName) {
      if (lifeOf(holder) === ref) this.#byName.delete(name);
    }
  }
}

/** What has to end for a name to go: actors of a key come and go. */
function lifeOf(ref: ActorRef<never>): WatchableRef | undefined {
  if (ref instanceof KeyedRef) return ref.group;
  return isWatchable(ref) ? ref : undefined;
}
