/**
 * Dead letters that are tried again, by one call after the other.
 *
 * @module
 */
import type { DeadLetterLog } from "../actors/dead_letters/dead_letter_log.ts";
import { replayLetters } from "../actors/dead_letters/replay.ts";
import { ReplayTurns } from "../actors/dead_letters/replay_turns.ts";
import { type LetterReplayOptions, replayInto } from "../actors/letter_replay.ts";
import type { ReplayChoice, ReplayResult } from "../gateways/http/control.ts";

/** See the module. */
export class LetterReplays {
  readonly #letters: DeadLetterLog;
  readonly #path: LetterReplayOptions;
  readonly #turns = new ReplayTurns();

  constructor(letters: DeadLetterLog, path: LetterReplayOptions) {
    this.#letters = letters;
    this.#path = path;
  }

  async replay(choice: ReplayChoice): Promise<ReplayResult> {
    // None, when too many wait already: who called calls again.
    const replayed = await this.#turns.take(choice, () => this.#run(choice)) ?? 0;
    return { replayed, remaining: this.#letters.count };
  }

  async #run(choice: ReplayChoice): Promise<number> {
    const path = this.#path;
    const replayed = await replayLetters(
      this.#letters,
      choice,
      (letters) => replayInto(path, letters),
    );
    path.requestCommit(); // Of what says that they are gone.
    return replayed;
  }
}
