/**
 * Delivers mail from another Worker. A message for an actor whose mailbox is full waits here, and
 * keeps its sender's credit: so a slow actor is felt by who sends to it, in the other Worker, and
 * its mail waits without holding up that of others. What waits is bounded by the link's window.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import type { ActorRef } from "./actor.ts";
import type { Clock } from "./clock.ts";
import type { DeadLetterReason, DeadLetters } from "./dead_letters.ts";
import { type Failure, failureOf } from "./failure.ts";
import type { LaneName } from "./port.ts";
import { isOneShot } from "./remote_ref.ts";

/** One message that found its actor's mailbox full. */
interface Waiting {
  readonly message: unknown;
  readonly lane: LaneName;
  readonly bytes: number;
}

export interface InboxOptions {
  readonly clock: Clock;
  readonly deadLetters: Pick<DeadLetters, "publish">;
  /** A message that waited has gone: its sender's credit goes back. */
  readonly release: (lane: LaneName, bytes: number) => void;
  /** Runs after other work of the event loop. Default `setImmediate`. */
  readonly later?: (run: () => void) => void;
}

/** Tries at once while they succeed, then this often without success, then by a timer. */
const promptTriesMax = 8;
const retryMsMax = 32;

export class RemoteInbox {
  readonly #clock: Clock;
  readonly #deadLetters: Pick<DeadLetters, "publish">;
  readonly #release: (lane: LaneName, bytes: number) => void;
  readonly #later: (run: () => void) => void;
  readonly #waiting = new Map<ActorRef<unknown>, Waiting[]>();
  #vainTries = 0;

  constructor(options: InboxOptions) {
    this.#clock = options.clock;
    this.#deadLetters = options.deadLetters;
    this.#release = options.release;
    this.#later = options.later ?? ((run) => void setImmediate(run));
  }

  /** Messages that wait. */
  get depth(): number {
    let depth = 0;
    for (const queue of this.#waiting.values()) depth += queue.length;
    return depth;
  }

  /**
   * True: the message needs no more memory here, because the actor has it or nobody ever will.
   * False: it waits behind what its actor could not take yet.
   */
  deliver(ref: ActorRef<unknown>, message: unknown, lane: LaneName, bytes: number): boolean {
    const queue = this.#waiting.size === 0 ? undefined : this.#waiting.get(ref);
    if (queue !== undefined) {
      queue.push({ message, lane, bytes });
      return false;
    }
    if (this.#offer(ref, message)) return true;
    this.#waiting.set(ref, [{ message, lane, bytes }]);
    if (this.#waiting.size === 1) this.#retryLater();
    return false;
  }

  #retryLater(): void {
    const vainTimerTries = this.#vainTries - promptTriesMax;
    if (vainTimerTries < 0) this.#later(this.#retry);
    else this.#clock.setTimer(Math.min(retryMsMax, 2 ** vainTimerTries), this.#retry);
  }

  readonly #retry = (): void => {
    let progress = false;
    for (const [ref, queue] of this.#waiting) {
      let done = 0;
      while (done < queue.length && this.#offer(ref, queue[done]!.message)) {
        const { lane, bytes } = queue[done++]!;
        this.#release(lane, bytes);
      }
      if (done > 0) progress = true;
      if (done === queue.length) this.#waiting.delete(ref);
      else queue.splice(0, done);
    }
    this.#vainTries = progress ? 0 : this.#vainTries + 1;
    if (this.#waiting.size > 0) this.#retryLater();
    else this.#vainTries = 0;
  };

  /** False when the mailbox is full. */
  #offer(ref: ActorRef<unknown>, message: unknown): boolean {
    try {
      const result = ref.tell(message);
      // An answer that is late is a dead letter by its address.
      if (result === "stopped" && !isOneShot(ref)) this.#bury(ref, message, "stopped");
      return result !== "full";
    } catch (thrown) {
      this.#bury(ref, message, "crashed", failureOf(thrown, this.#clock.now()));
      return true;
    }
  }

  #bury(
    ref: ActorRef<unknown>,
    message: unknown,
    reason: DeadLetterReason,
    failure?: Failure,
  ): void {
    this.#deadLetters.publish({
      message,
      target: ref.path,
      kind: "remote",
      reason,
      ...(failure === undefined ? {} : { failure }),
    });
  }
}
