/**
 * Wills of clients that went away without DISCONNECT: sent to subscribers, offered as readings, and
 * kept, within a bound, while there is no credit for them.
 *
 * @module
 */
import type { Intake, Offer, Origin, Rejection } from "../../../actors/intake.ts";
import { offerFlags } from "../../../actors/intake.ts";
import type { Will } from "../codec/connect.ts";
import { accountOf, originHashOf } from "./endpoint_options.ts";
import type { EndpointStats } from "./endpoint_stats.ts";
import type { MessageExchange } from "./subscriptions.ts";

/** Wills that may wait for credit, and their bytes. */
export const waitingWillsMax = 1_000;
export const waitingWillBytesMax = 4 * 1024 * 1024;

const utf8 = new TextEncoder();

/** See the module. */
export class Wills {
  readonly #intake: Intake;
  readonly #messages: Pick<MessageExchange, "publish" | "publishAnyway" | "flush">;
  readonly #stats: EndpointStats;
  readonly #waiting = new Set<WillOrigin>();
  #waitingBytes = 0;

  constructor(
    intake: Intake,
    messages: Pick<MessageExchange, "publish" | "publishAnyway" | "flush">,
    stats: EndpointStats,
  ) {
    this.#intake = intake;
    this.#messages = messages;
    this.#stats = stats;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Of the client whose session has this key. False: it could not be kept for those who are away. With `again` it is tried again by the
   * caller, and is no reading until it can.
   */
  publish(will: Will, sessionKey: string, again = false): boolean {
    const originHash = originHashOf(sessionKey);
    const origin = new WillOrigin(will, originHash, () => this.#again(origin));
    const { offer } = origin;
    const account = accountOf(sessionKey);
    let known = true;
    if (again) this.#messages.publish(offer, will.properties, undefined, account);
    else known = this.#messages.publishAnyway(offer, will.properties, account);
    const kept = this.#messages.flush() && known;
    if (!kept && again) return false;
    if (this.#intake.offer(origin, origin.offer) !== "full") {
      this.#stats.wills++;
      this.#intake.flush();
      return kept;
    }
    const bytes = origin.offer.payloadEnd;
    if (
      this.#waiting.size >= waitingWillsMax || this.#waitingBytes + bytes > waitingWillBytesMax
    ) {
      this.#stats.willsDropped++;
      this.#intake.forget(origin);
      return kept;
    }
    this.#waiting.add(origin);
    this.#waitingBytes += bytes;
    return kept;
  }

  #again(origin: WillOrigin): void {
    if (!this.#waiting.has(origin)) return;
    if (this.#intake.offer(origin, origin.offer) === "full") return;
    this.#waiting.delete(origin);
    this.#waitingBytes -= origin.offer.payloadEnd;
    this.#stats.wills++;
    this.#intake.flush();
  }
}

class WillOrigin implements Origin {
  readonly transport = "mqtt";
  readonly offer: Offer;

  constructor(will: Will, readonly originHash: number, readonly resume: () => void) {
    const topic = utf8.encode(will.topic);
    const bytes = new Uint8Array(topic.length + will.payload.length);
    bytes.set(topic);
    bytes.set(will.payload, topic.length);
    this.offer = {
      bytes,
      topicStart: 0,
      topicEnd: topic.length,
      payloadStart: topic.length,
      payloadEnd: bytes.length,
      flags: will.qos | (will.retain ? offerFlags.retain : 0),
      packetId: 0,
      sequence: 0,
    };
  }

  /** Nobody waits for the fate of a will; the ledger has it. */
  settled(_sequence: number, _rejection: Rejection | undefined): void {}
  settledEnd(): void {}
}
