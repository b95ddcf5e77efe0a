/**
 * The actor that answers the main thread's questions to a shard.
 *
 * @module
 */
import type { Actor } from "../runtime/actor.ts";
import { messageOf } from "../runtime/message_of.ts";
import type { ShardAsk, ShardQuestion } from "./shard_protocol.ts";

/** What a shard can be asked; each may take its time, and may reject. */
export interface ShardAnswers {
  answer(question: ShardQuestion): unknown;
}

/** Answers each question as it comes; a slow answer keeps no other one waiting. */
export class ShardControl implements Actor<ShardAsk> {
  readonly #answers: ShardAnswers;

  constructor(answers: ShardAnswers) {
    this.#answers = answers;
  }

  receive({ question, replyTo }: ShardAsk): void {
    // An answer can be too large for a message: then that is the answer.
    Promise.try(() => this.#answers.answer(question))
      .then((value) => replyTo.tell({ ok: true, value: value ?? null }))
      .catch((cause: unknown) => replyTo.tell({ ok: false, error: messageOf(cause) }));
  }
}
