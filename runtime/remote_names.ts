/**
 * The actors that a Worker offers to others by name: where a conversation between Workers begins.
 *
 * @module
 */
import type { ActorRef } from "./actor.ts";

/** Name → actor. One for all links of a Worker. */
export class PublishedNames {
  readonly #refs = new Map<string, ActorRef<unknown>>();

  /**
   * Offers `ref` under `name`. Its messages then come from other Workers: `parse` makes an `M` of
   * each, or throws, and then the message is a dead letter.
   */
  publish<M>(name: string, ref: ActorRef<M>, parse: (message: unknown) => M): void {
    if (this.#refs.has(name)) throw new Error(`Cannot publish ${name}: the name is taken`);
    this.#refs.set(name, new ParsingRef(ref, parse));
  }

  withdraw(name: string): void {
    this.#refs.delete(name);
  }

  get(name: string): ActorRef<unknown> | undefined {
    return this.#refs.get(name);
  }
}

/** The edge where `unknown` becomes `M`. */
class ParsingRef<M> implements ActorRef<unknown> {
  readonly #ref: ActorRef<M>;
  readonly #parse: (message: unknown) => M;

  constructor(ref: ActorRef<M>, parse: (message: unknown) => M) {
    this.#ref = ref;
    this.#parse = parse;
  }

  get path(): string {
    return this.#ref.path;
  }

  tell(message: unknown) {
    return this.#ref.tell(this.#parse(message));
  }
}
