/**
 * Ready-made PUBLISH packets: a message costs one copy and a few digits written in place.
 *
 * @module
 */
import { encodePacket } from "../../gateways/mqtt/codec/packet.ts";
import type { ProtocolVersion } from "../../gateways/mqtt/codec/packet_type.ts";
import { noProperties } from "../../gateways/mqtt/codec/properties.ts";
import type { Qos } from "../../gateways/mqtt/codec/publish.ts";
import { PayloadImage, type ReadingPlan } from "./payload_image.ts";

/** What is the same in every message of a run. */
export interface MessagePlan extends ReadingPlan {
  readonly qos: Qos;
  readonly version: ProtocolVersion;
}

const dupFlag = 0b1000;

/** The packets of one device. */
export class PacketImage {
  readonly device: number;
  readonly #plan: MessagePlan;
  readonly #payload: PayloadImage;
  readonly #bytes: Uint8Array;
  readonly #packetIdAt: number;
  readonly #payloadAt: number;

  constructor(plan: MessagePlan, device: number) {
    this.device = device;
    this.#plan = plan;
    this.#payload = new PayloadImage(plan, device);
    const { topic, bytes: payload } = this.#payload;
    this.#bytes = encodePacket({
      kind: "publish",
      topic,
      payload,
      qos: plan.qos,
      dup: false,
      retain: false,
      packetId: plan.qos === 0 ? 0 : 1,
      properties: noProperties,
    }, plan.version);
    this.#payloadAt = this.#bytes.length - payload.length;
    this.#packetIdAt = this.#payloadAt - 2 - (plan.version === 5 ? 1 : 0);
  }

  /** Bytes of each packet. */
  get length(): number {
    return this.#bytes.length;
  }

  /** Writes message number `counter` at `at` and returns the offset behind it. */
  write(out: Uint8Array, at: number, counter: number, packetId: number, dup: boolean): number {
    out.set(this.#bytes, at);
    if (this.#plan.qos > 0) {
      if (dup) out[at]! |= dupFlag;
      out[at + this.#packetIdAt] = packetId >>> 8;
      out[at + this.#packetIdAt + 1] = packetId;
    }
    const end = at + this.#bytes.length;
    this.#payload.patch(out, end, counter);
    if (this.#payload.isPoison(counter)) out[at + this.#payloadAt] = 0x21; // "!" in place of "{"
    return end;
  }
}
