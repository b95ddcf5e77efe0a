/**
 * Watching across a link: refs here whose actors there are watched, and actors here that are
 * watched from there.
 *
 * @module
 */
import type { ActorRef, StopReason } from "./actor.ts";
import type { Target } from "./frames.ts";
import type { RemoteRef } from "./remote_ref.ts";
import { isWatchable, type WatchableRef, type Watcher } from "./watch.ts";

/** What goes to the other end. */
export interface WatchMessages {
  watch(target: Target): void;
  unwatch(target: Target): void;
  ended(target: Target, reason: StopReason): void;
}

export class RemoteWatches {
  readonly #send: WatchMessages;
  /** Held here, so that they are not let go of while somebody watches. */
  readonly #there = new Map<Target, RemoteRef>();
  readonly #here = new Map<Target, { readonly ref: WatchableRef; readonly watcher: Watcher }>();

  constructor(send: WatchMessages) {
    this.#send = send;
  }

  watch(ref: RemoteRef): void {
    this.#there.set(ref.target, ref);
    this.#send.watch(ref.target);
  }

  unwatch(ref: RemoteRef): void {
    if (this.#there.delete(ref.target)) this.#send.unwatch(ref.target);
  }

  /** An actor there has ended. */
  ended(target: Target, reason: StopReason): void {
    const ref = this.#there.get(target);
    this.#there.delete(target);
    ref?.ended(reason);
  }

  /** The other end watches `ref`, its name for it being `target`. */
  watchHere(target: Target, ref: ActorRef<never> | undefined): void {
    if (this.#here.has(target)) return;
    if (ref === undefined || !isWatchable(ref)) return this.#send.ended(target, "stopped");
    const watcher: Watcher = {
      terminated: (_ref, reason) => {
        this.#here.delete(target);
        this.#send.ended(target, reason);
      },
    };
    this.#here.set(target, { ref, watcher });
    ref.addWatcher(watcher);
  }

  unwatchHere(target: Target): void {
    const watched = this.#here.get(target);
    this.#here.delete(target);
    watched?.ref.removeWatcher(watched.watcher);
  }

  /** The other end is gone. */
  lost(): void {
    for (const target of [...this.#here.keys()]) this.unwatchHere(target);
    for (const target of [...this.#there.keys()]) this.ended(target, "lost");
  }
}
