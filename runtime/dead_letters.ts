/**
 * Where mail goes that no actor will handle: a stream of events and a counter per reason, never a
 * list that grows. A listener may take a letter over, for example to store it durably.
 *
 * @module
 */
import type { StopReason } from "./actor.ts";
import type { Failure } from "./failure.ts";

/**
 * Why nobody will handle the message: its actor is no more (and why), the actor crashed on it, or
 * it answers a question whose deadline has passed.
 */
export type DeadLetterReason = StopReason | "crashed" | "late_reply";

/** A message that nobody will handle. */
export interface DeadLetter {
  readonly message: unknown;
  /** Path of the actor it was for. */
  readonly target: string;
  /** The kind of that actor's child spec. */
  readonly kind: string;
  readonly reason: DeadLetterReason;
  /** The crash behind it, if there was one. */
  readonly failure?: Failure;
}

/** Gives true when it takes responsibility for the message. Must not block. */
export type DeadLetterListener = (letter: DeadLetter) => boolean | void;

/** The dead letters of one actor system. */
export class DeadLetters {
  readonly #listeners = new Set<DeadLetterListener>();
  readonly #byReason = new Map<DeadLetterReason, number>();
  #taken = 0;
  #listenerFailures = 0;

  /** Letters published so far, by reason. */
  get byReason(): ReadonlyMap<DeadLetterReason, number> {
    return this.#byReason;
  }

  /** Letters that a listener took over. */
  get taken(): number {
    return this.#taken;
  }

  /** Times a listener threw; the letter then went on to the next one. */
  get listenerFailures(): number {
    return this.#listenerFailures;
  }

  /** Every letter from now on goes to `listener` too. Gives the way to end that. */
  subscribe(listener: DeadLetterListener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  publish(letter: DeadLetter): void {
    this.#byReason.set(letter.reason, (this.#byReason.get(letter.reason) ?? 0) + 1);
    let taken = false;
    for (const listener of this.#listeners) {
      try {
        if (listener(letter) === true) taken = true;
      } catch {
        this.#listenerFailures++;
      }
    }
    if (taken) this.#taken++;
  }
}
