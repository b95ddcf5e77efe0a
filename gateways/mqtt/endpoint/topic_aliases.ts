/**
 * Topic aliases of one MQTT 5 connection (§3.3.2.3.4): a number that stands for a topic sent before.
 *
 * @module
 */
import { ProtocolError, violation } from "../codec/protocol_error.ts";
import type { PublishView } from "../codec/publish.ts";
import { reasonCodes } from "../codec/reason_code.ts";

/** Longest topic an alias may stand for: with the alias maximum, the bound of what is kept. */
export const aliasedTopicBytesMax = 1_024;

/** See the module. */
export class TopicAliases {
  readonly #countMax: number;
  readonly #topics = new Map<number, Uint8Array>();

  constructor(countMax: number) {
    this.#countMax = countMax;
  }

  /**
   * The topic that the alias of `view` stands for; `undefined` when the packet names its topic
   * itself, which sets the alias.
   */
  resolve(view: PublishView): Uint8Array | undefined {
    const { topicAlias, topicStart, topicEnd } = view;
    if (topicAlias > this.#countMax) {
      throw invalid(`topic alias ${topicAlias}, where ${this.#countMax} are allowed`);
    }
    if (topicEnd > topicStart) {
      if (topicEnd - topicStart > aliasedTopicBytesMax) {
        throw invalid(`an alias for a topic of more than ${aliasedTopicBytesMax} bytes`);
      }
      this.#topics.set(topicAlias, view.bytes.slice(topicStart, topicEnd));
      return undefined;
    }
    const topic = this.#topics.get(topicAlias);
    if (topic === undefined) {
      throw violation(`topic alias ${topicAlias}, which was never set`, "MQTT-3.3.2-12");
    }
    return topic;
  }
}

function invalid(what: string): ProtocolError {
  return new ProtocolError(reasonCodes.topicAliasInvalid, what, "MQTT-3.3.2-9");
}
