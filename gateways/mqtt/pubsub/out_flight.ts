/**
 * QoS 1 and 2 messages that a client was sent and has not acknowledged to the end, by their packet
 * identifiers.
 *
 * @module
 */
import type { AcknowledgementKind } from "../codec/acknowledgement.ts";
import type { QueueLimits } from "./delivery_queue.ts";
import type { Delivery, Message } from "./message.ts";
import type { PubSubStats } from "./pubsub_stats.ts";
import { SharedHold, type Unfinished } from "./shared_hold.ts";

type Awaits = "puback" | "pubrec" | "pubcomp";

/** See the module. */
export class OutFlight {
  readonly #limits: QueueLimits;
  readonly #stats: PubSubStats;
  readonly #awaits = new Map<number, Awaits>();
  #held: SharedHold | undefined;
  #lastId = 0;

  constructor(limits: QueueLimits, stats: PubSubStats) {
    this.#limits = limits;
    this.#stats = stats;
  }

  get count(): number {
    return this.#awaits.size;
  }

  /** An identifier that is free. There is one: fewer are in flight than exist. */
  nextId(): number {
    do this.#lastId = this.#lastId === 0xffff ? 1 : this.#lastId + 1; while (
      this.#awaits.has(this.#lastId)
    );
    return this.#lastId;
  }

  sent(packetId: number, message: Message, { qos, share }: Delivery): void {
    this.#awaits.set(packetId, qos === 1 ? "puback" : "pubrec");
    // With QoS 2 nobody stands in once it was sent [MQTT-4.8.2-5].
    if (share === undefined || qos !== 1) return;
    (this.#held ??= new SharedHold(this.#limits, this.#stats)).add(packetId, { message, share });
  }

  /**
   * PUBACK, PUBREC or PUBCOMP of the client; one that nothing waits for changes nothing. Gives
   * whether PUBREL is due, and for what is known here.
   */
  acknowledged(
    kind: AcknowledgementKind,
    packetId: number,
    reasonCode: number,
  ): "release" | "release unknown" | undefined {
    const awaits = this.#awaits.get(packetId);
    if (kind !== "pubrec") {
      if (kind === awaits) this.#through(packetId);
      return undefined;
    }
    if (awaits === "pubrec" && reasonCode >= 0x80) return this.#through(packetId);
    if (awaits !== "pubrec" && awaits !== "pubcomp") return "release unknown";
    this.#awaits.set(packetId, "pubcomp");
    return "release";
  }

  /** The session has ended. Gives what another member of a shared subscription is to have. */
  take(): Unfinished[] {
    this.#awaits.clear();
    return this.#held?.take() ?? [];
  }

  #through(packetId: number): undefined {
    this.#awaits.delete(packetId);
    this.#held?.delete(packetId);
  }
}
