/**
 * A question to another Worker by one who is no actor: a promise that settles by the deadline.
 *
 * @module
 */
import type { TellResult } from "./actor.ts";
import { AskError } from "./ask.ts";
import type { Clock, Timer } from "./clock.ts";
import type { DeadLetters } from "./dead_letters.ts";
import type { OneShotRef } from "./remote_ref.ts";

/** The address for the answer. What it is answered with is foreign, and parsed here. */
export class RemoteAsk<R> implements OneShotRef<unknown> {
  readonly oneShot = true;
  readonly answer: Promise<R>;
  readonly #parse: (reply: unknown) => R;
  readonly #ended: () => void;
  readonly #settle: { resolve(value: R): void; reject(cause: unknown): void };
  readonly #timer: Timer;
  #open = true;

  readonly #deadLetters: Pick<DeadLetters, "publish">;

  /** `ended` is called once, before the promise settles. */
  constructor(
    readonly path: string,
    clock: Clock,
    deadlineMs: number,
    parse: (reply: unknown) => R,
    deadLetters: Pick<DeadLetters, "publish">,
    ended: (ask: RemoteAsk<R>) => void,
  ) {
    const { promise, ...settle } = Promise.withResolvers<R>();
    this.answer = promise;
    this.#settle = settle;
    this.#parse = parse;
    this.#deadLetters = deadLetters;
    this.#ended = () => ended(this);
    this.#timer = clock.setTimer(
      deadlineMs,
      () => this.fail("timeout", `no answer within ${deadlineMs} ms`),
    );
  }

  get open(): boolean {
    return this.#open;
  }

  tell(reply: unknown): TellResult {
    if (!this.#close()) {
      const letter = { message: reply, target: this.path, kind: "reply" };
      this.#deadLetters.publish({ ...letter, reason: "late_reply" });
      return "stopped";
    }
    try {
      this.#settle.resolve(this.#parse(reply));
    } catch (thrown) {
      this.#settle.reject(thrown);
    }
    return "accepted";
  }

  fail(reason: AskError["reason"], what: string): void {
    this.reject(new AskError(reason, `Cannot ask: ${this.path}: ${what}`));
  }

  reject(cause: unknown): void {
    if (this.#close()) this.#settle.reject(cause);
  }

  #close(): boolean {
    if (!this.#open) return false;
    this.#open = false;
    this.#timer.clear();
    this.#ended();
    return true;
  }
}
