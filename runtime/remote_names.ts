/**
 * The actors that a Worker offers to others by name: where a conversation between Workers begins.
 *
 * @module
 */
import type { ActorRef, TellResult } from "./actor.ts";

/** An actor as others see it: its messages are foreign. */
export interface Published extends ActorRef<unknown> {
  /** The actor itself. */
  readonly actor: ActorRef<never>;
}

/** Name → actor. One for all links of a Worker. */
export class PublishedNames {
  readonly #published = new Map<string, Published>();

  /**
   * Offers `ref` under `name`. Its messages then come from other Workers: `parse` makes an `M` of
   * each, or throws, and then the message is a dead letter.
   */
  publish<M>(name: string, ref: ActorRef<M>, parse: (message: unknown) => M): void {
    if (this.#published.has(name)) throw new Error(`Cannot publish ${name}: the name is taken`);
    this.#published.set(name, new ParsingRef(ref, parse));
  }

  withdraw(name: string): void {
    this.#published.delete(name);
  }

  get(name: string): Published | undefined {
    return this.#published.get(name);
  }
}

/** The edge where `unknown` becomes `M`. */
class ParsingRef<M> implements Published {
  readonly #parse: (message: unknown) => M;

  constructor(readonly actor: ActorRef<M>, parse: (message: unknown) => M) {
    this.#parse = parse;
  }

  get path(): string {
    return this.actor.path;
  }

  tell(message: unknown): TellResult {
    return this.actor.tell(this.#parse(message));
  }
}
