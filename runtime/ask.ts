/**
 * Questions with a deadline: an address for the answer that lives until the answer, or the
 * deadline, has come.
 *
 * @module
 */
import type { ActorRef, TellResult } from "./actor.ts";
import type { DeadLetters } from "./dead_letters.ts";
import { Deadline, type Deadlines } from "./deadlines.ts";
import type { OneShotRef } from "./remote_ref.ts";
import { shownAs, shownRef } from "./shown_ref.ts";

/** Why a question has no answer. `full` and `stopped` are the asked actor's own answer. */
export class AskError extends Error {
  override readonly name = "AskError";

  constructor(readonly reason: "timeout" | "full" | "stopped", message: string) {
    super(message);
  }
}

/** The address that a question carries. Only the first answer within the deadline counts. */
class ReplyRef<R> extends Deadline implements OneShotRef<R> {
  #open = true;

  constructor(
    readonly asked: ActorRef<never>,
    readonly deadLetters: DeadLetters,
    readonly replied: (reply: R) => void,
    readonly failed: (cause: AskError) => void,
  ) {
    super();
  }

  get path(): string {
    return `${this.asked.path}?reply`;
  }

  [shownAs](): string {
    return shownRef(this);
  }

  get oneShot(): true {
    return true;
  }

  get open(): boolean {
    return this.#open;
  }

  tell(reply: R): TellResult {
    if (!this.#open) {
      this.deadLetters.publish({
        message: reply,
        target: this.path,
        kind: "reply",
        reason: "late_reply",
      });
      return "stopped";
    }
    this.#open = false;
    this.clear();
    this.replied(reply);
    return "accepted";
  }

  override due(afterMs: number): void {
    this.fail("timeout", `${this.asked.path} did not answer within ${afterMs} ms`);
  }

  override closed(): void {
    this.fail("stopped", `${this.asked.path} had not answered when the actor system ended`);
  }

  fail(reason: AskError["reason"], message: string): void {
    if (!this.#open) return;
    this.#open = false;
    this.clear();
    this.failed(new AskError(reason, message));
  }
}

/**
 * Sends what `make` makes of the reply address to `to`. Exactly one of `replied` and `failed` is
 * called, also when the system ends first; `replied` in the turn of the one who replies, so it must
 * only pass the reply on.
 */
export function askWith<Q, R>(
  host: { readonly deadlines: Deadlines; readonly deadLetters: DeadLetters },
  to: ActorRef<Q>,
  make: (replyTo: ActorRef<R>) => Q,
  deadlineMs: number,
  replied: (reply: R) => void,
  failed: (cause: AskError) => void,
): void {
  if (Number.isNaN(deadlineMs)) {
    throw new RangeError(`Cannot ask ${to.path}: a deadline of NaN ms`);
  }
  const reply = new ReplyRef<R>(to, host.deadLetters, replied, failed);
  const answer = to.tell(make(reply));
  if (answer !== "accepted") reply.fail(answer, `${to.path} did not take the question: ${answer}`);
  else if (reply.open) host.deadlines.set(reply, deadlineMs);
}
