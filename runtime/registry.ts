/**
 * Names for actors that others look up: the name goes when its actor does.
 *
 * @module
 */
import type { ActorRef, StopReason } from "./actor.ts";
import { isWatchable, type Watcher } from "./watch.ts";

/** The named actors of one system. */
export class Registry implements Watcher {
  readonly #byName = new Map<string, ActorRef<never>>();

  /** Throws when the name is taken. That of a key stays while its actors come and go. */
  register(name: string, ref: ActorRef<never>): void {
    const holder = this.#byName.get(name);
    if (holder !== undefined) {
      throw new Error(`Cannot register ${ref.path} as ${name}: ${holder.path} has that name`);
    }
    this.#byName.set(name, ref);
    if (isWatchable(ref)) ref.addWatcher(this);
  }

  unregister(name: string): void {
    const ref = this.#byName.get(name);
    this.#byName.delete(name);
    if (ref === undefined || [...this.#byName.values()].includes(ref)) return;
    if (isWatchable(ref)) ref.removeWatcher(this);
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
    if (reason === "passivated") return;
    for (const [name, holder] of this.#byName) if (holder === ref) this.#byName.delete(name);
  }
}
