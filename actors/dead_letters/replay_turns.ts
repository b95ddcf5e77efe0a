/**
 * One replay at a time: letters stay listed until their new fate is durable, so two at once would
 * hand out the same ones twice.
 *
 * @module
 */
import type { LetterChoice } from "./replay.ts";

/** A choice may name as many letters as a request can. */
const waitingMax = 4;

interface Turn {
  readonly key: string;
  readonly replayed: Promise<number>;
}

/** See the module. */
export class ReplayTurns {
  readonly #turns: Turn[] = [];

  /**
   * Runs `replay` when those before have ended, and answers what it does. Who asks for the same
   * again meanwhile, having lost patience, gets the answer of the one that waits or is under way.
   * `undefined` when too many wait: then nothing is done.
   */
  take(choice: LetterChoice, replay: () => Promise<number>): Promise<number> | undefined {
    const key = JSON.stringify([choice.reason, choice.ids]);
    const same = this.#turns.find((turn) => turn.key === key);
    if (same !== undefined) return same.replayed;
    if (this.#turns.length > waitingMax) return undefined;
    const before = this.#turns.at(-1)?.replayed;
    const begun = before === undefined ? Promise.try(replay) : before.then(replay, replay);
    const replayed = begun.finally(() => this.#turns.shift());
    this.#turns.push({ key, replayed });
    return replayed;
  }
}
