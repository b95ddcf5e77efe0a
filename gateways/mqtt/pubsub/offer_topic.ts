/**
 * The topic of a message that is offered, as text.
 *
 * @module
 */
import type { Offer } from "../../../actors/intake.ts";
import { asciiText } from "../codec/text.ts";

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

export function offerTopic({ bytes, topicStart, topicEnd }: Offer): string {
  return asciiText(bytes, topicStart, topicEnd) ??
    utf8.decode(bytes.subarray(topicStart, topicEnd));
}
