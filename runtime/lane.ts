/**
 * What comes before an actor's mail: signals, its own timers, results of what it started, and
 * mail that comes a second time. It has no limit of its own because each item answers something
 * the actor did itself (a timer, a question, a stash, a watch), and those are bounded.
 *
 * @module
 */
import type { Signal } from "./actor.ts";
import type { ReceiveTimeout } from "./receive_timeout.ts";
import type { TimerEntry } from "./timers.ts";
import type { Watch } from "./watch.ts";

export type LaneItem =
  /** `source` is what the actor asked for: it may be switched off before its signal is heard. */
  | {
    readonly kind: "signal";
    readonly signal: Signal;
    readonly source?: Watch | ReceiveTimeout;
  }
  | { readonly kind: "timer"; readonly entry: TimerEntry }
  /** `value` came back; `make` turns it into a message, in the actor's own turn. */
  | { readonly kind: "result"; readonly value: unknown; readonly make: () => unknown }
  /** Mail that was in the actor's hand before; `crashes` counts those it caused. */
  | { readonly kind: "mail"; readonly message: unknown; readonly crashes: number };

/** A queue for few items. */
export class Lane {
  #items: (LaneItem | undefined)[] = [];
  #head = 0;

  get empty(): boolean {
    return this.#head === this.#items.length;
  }

  push(item: LaneItem): void {
    this.#items.push(item);
  }

  /** Puts `items` before all others, in their order. */
  pushFirst(items: readonly LaneItem[]): void {
    this.#items = [...items, ...this.#items.slice(this.#head)];
    this.#head = 0;
  }

  /** The first item. Call only while it is not {@linkcode empty}. */
  take(): LaneItem {
    const item = this.#items[this.#head]!;
    this.#items[this.#head++] = undefined;
    if (this.#head === this.#items.length) {
      this.#items = [];
      this.#head = 0;
    }
    return item;
  }
}

/** The message in an item; throws what the making of a result throws. */
export function messageOf(item: Exclude<LaneItem, { readonly kind: "signal" }>): unknown {
  switch (item.kind) {
    case "mail":
      return item.message;
    case "timer":
      return item.entry.message;
    case "result":
      return item.make();
    default:
      return item satisfies never;
  }
}
