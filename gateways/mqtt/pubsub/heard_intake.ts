/**
 * An intake whose readings reach MQTT subscribers too, for edges that are no MQTT sessions: a
 * message is what such a reading would have been as a PUBLISH of its topic, with QoS 1.
 *
 * @module
 */
import type { Intake, Offer, OfferResult, Origin, Rejection } from "../../../actors/intake.ts";
import { noProperties } from "../codec/properties.ts";
import type { PubSub } from "./pubsub.ts";

const dollar = 0x24;
const qos1 = 1;

/**
 * See the module. A reading that is refused was no message: its sender asked for it to be stored. So
 * was one whose topic begins with `$`, for the edge has made it up of what came (`$line/…`,
 * `$weather/…`).
 */
export class HeardIntake implements Intake {
  readonly #intake: Intake;
  readonly #messages: Pick<PubSub, "publish" | "flush" | "listening">;

  constructor(intake: Intake, messages: Pick<PubSub, "publish" | "flush" | "listening">) {
    this.#intake = intake;
    this.#messages = messages;
  }

  offer(origin: Origin, offer: Offer): OfferResult {
    const result = this.#intake.offer(origin, offer);
    if (
      result === "accepted" && this.#messages.listening &&
      offer.bytes[offer.topicStart] !== dollar
    ) {
      const { flags } = offer;
      offer.flags = qos1;
      this.#messages.publish(offer, noProperties, undefined);
      offer.flags = flags;
    }
    return result;
  }

  deny(origin: Origin, offer: Offer, rejection: Rejection): void {
    this.#intake.deny(origin, offer, rejection);
  }

  flush(): boolean {
    const taken = this.#intake.flush();
    return this.#messages.flush() && taken;
  }

  forget(origin: Origin): void {
    this.#intake.forget(origin);
  }
}
