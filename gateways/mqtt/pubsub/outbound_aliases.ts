/**
 * Topic aliases towards one MQTT 5 client (§3.3.2.3.4): the topics it was sent last have a number
 * each, and the one that was not used for longest gives its number up.
 *
 * @module
 */

/** Aliases of one client, whatever it allows: what it costs to remember them is bounded. */
export const outboundAliasesMax = 64;
/** A topic of fewer characters is shorter than its alias, a longer one is not remembered. */
const topicCharsMin = 4;
const topicCharsMax = 1_024;

export interface OutboundAlias {
  readonly alias: number;
  /** The client has it: the topic itself may be left out. */
  readonly known: boolean;
}

/** See the module. A choice counts only once it is {@linkcode OutboundAliases.sent}. */
export class OutboundAliases {
  readonly #countMax: number;
  /** Alias by topic, the one that was used last at the end. */
  readonly #aliases = new Map<string, number>();

  /** `topicAliasMaximum` is the client's. */
  constructor(topicAliasMaximum: number) {
    this.#countMax = Math.min(topicAliasMaximum, outboundAliasesMax);
  }

  /** `undefined`: this topic goes without. */
  choose(topic: string): OutboundAlias | undefined {
    if (this.#countMax === 0) return undefined;
    if (topic.length < topicCharsMin || topic.length > topicCharsMax) return undefined;
    const alias = this.#aliases.get(topic);
    if (alias !== undefined) return { alias, known: true };
    if (this.#aliases.size < this.#countMax) return { alias: this.#aliases.size + 1, known: false };
    const [oldest] = this.#aliases.values();
    return oldest === undefined ? undefined : { alias: oldest, known: false };
  }

  /** The PUBLISH with this choice is on its way. */
  sent(topic: string, { alias, known }: OutboundAlias): void {
    if (!known && this.#aliases.size === this.#countMax) {
      const [oldest] = this.#aliases.keys();
      if (oldest !== undefined) this.#aliases.delete(oldest);
    }
    this.#aliases.delete(topic);
    this.#aliases.set(topic, alias);
  }
}
