/**
 * Kept sessions follow their accounts: those of an account that was deleted or disabled end, and
 * subscriptions that an account may not have any more are taken back, whether their client is
 * connected or not.
 *
 * @module
 */
import type { Clock, Timer } from "../../../runtime/clock.ts";
import type { KeptPermit } from "./kept_options.ts";
import type { KeptSessions } from "./kept_sessions.ts";

/** What an account may do now; without permit it is deleted or disabled. */
export interface AccountStanding {
  readonly name: string;
  readonly permit: KeptPermit | undefined;
}

export interface KeptReviewOptions {
  readonly messages: {
    readonly kept: Pick<KeptSessions, "accounts"> | undefined;
    flush(): boolean;
  };
  readonly clock: Clock;
  /** A standing for each name; one without is asked for again. `undefined`, or a rejection: all. */
  ask(names: readonly string[]): Promise<readonly AccountStanding[] | undefined>;
}

/** Accounts that are asked for at once. */
const namesMax = 100;
const againMs = 500;

/** See the module. */
export class KeptReview {
  readonly #options: KeptReviewOptions;
  /** At most as many as there are kept sessions. */
  readonly #due = new Set<string>();
  #asking = false;
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: KeptReviewOptions) {
    this.#options = options;
  }

  /** These accounts have changed, or, with `all`, any may have. */
  changed(names: readonly string[], all: boolean): void {
    const { kept } = this.#options.messages;
    if (kept === undefined) return;
    if (all) { for (const name of kept.accounts.names("mine")) this.#due.add(name); }
    if (names.length > 0) {
      const known = kept.accounts.names("all");
      for (const name of names) if (known.has(name)) this.#due.add(name);
    }
    this.#next();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.clear();
  }

  #next(): void {
    if (this.#asking || this.#timer !== undefined || this.#due.size === 0 || this.#closed) return;
    const names = [...this.#due].slice(0, namesMax);
    // One that changes while it is being asked for is asked for again.
    for (const name of names) this.#due.delete(name);
    this.#asking = true;
    this.#options.ask(names).catch(() => undefined).then((standings) => {
      this.#asking = false;
      if (this.#closed) return;
      const known = new Set(standings?.map(({ name }) => name));
      const done = standings !== undefined && this.#apply(standings);
      if (done && known.size === names.length) return this.#next();
      for (const name of names) if (!done || !known.has(name)) this.#due.add(name);
      this.#timer = this.#options.clock.setTimer(againMs, () => {
        this.#timer = undefined;
        this.#next();
      });
    });
  }

  /** False when the file failed. */
  #apply(standings: readonly AccountStanding[]): boolean {
    const { messages } = this.#options;
    const accounts = messages.kept?.accounts;
    if (accounts === undefined) return true;
    let done = true;
    for (const { name, permit } of standings) {
      const isDone = permit === undefined ? accounts.revoke(name) : accounts.restrict(name, permit);
      done &&= isDone;
    }
    messages.flush();
    return done;
  }
}
