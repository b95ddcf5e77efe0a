/**
 * The QoS 1 and 2 messages of a connection that wait for their acknowledgement, in the order they
 * came, which is the order they are acknowledged in [MQTT-4.6.0-2], [MQTT-4.6.0-3], whatever the
 * order they are settled in.
 *
 * @module
 */

const startSize = 16;

/** Fields of an entry: packet id in bits 0 to 15, QoS 2 in 16, settled in 17, reason from 24. */
const qos2Bit = 1 << 16;
const settledBit = 1 << 17;

/** Writes one acknowledgement. */
export interface Acknowledger {
  acknowledge(packetId: number, qos: 1 | 2, reasonCode: number, sequence: number): void;
}

/** A bounded ring. Sequences are 32 bit and wrap. */
export class InFlight {
  readonly countMax: number;
  #ring: Uint32Array | undefined;
  /** Sequence of the oldest entry, and of the next. */
  #head = 0;
  #next = 0;

  constructor(countMax: number) {
    this.countMax = countMax;
  }

  get count(): number {
    return (this.#next - this.#head) >>> 0;
  }

  /** Adds a message and answers its sequence. The caller sees to it that there is room. */
  push(packetId: number, qos: number): number {
    const sequence = this.#next;
    let ring = this.#ring;
    if (ring === undefined || this.count === ring.length) ring = this.#grow();
    ring[sequence & (ring.length - 1)] = packetId | (qos === 2 ? qos2Bit : 0);
    this.#next = (sequence + 1) >>> 0;
    return sequence;
  }

  /** Takes back the message pushed last. */
  unpush(): void {
    this.#next = (this.#next - 1) >>> 0;
  }

  /** Whether a QoS 2 message with this identifier is in flight. Looks at all of them. */
  holdsQos2(packetId: number): boolean {
    const ring = this.#ring;
    if (ring === undefined) return false;
    for (let sequence = this.#head; sequence !== this.#next; sequence = (sequence + 1) >>> 0) {
      const entry = ring[sequence & (ring.length - 1)]!;
      if ((entry & 0x1ffff) === (packetId | qos2Bit)) return true;
    }
    return false;
  }

  /** The fate of a message is known. A sequence that is not in flight is ignored. */
  settle(sequence: number, reasonCode: number): void {
    const ring = this.#ring;
    if (ring === undefined || ((sequence - this.#head) >>> 0) >= this.count) return;
    const index = sequence & (ring.length - 1);
    ring[index] = (ring[index]! & 0xffffff) | settledBit | (reasonCode << 24);
  }

  /** Hands over and forgets the oldest messages as far as they are settled without a gap. */
  release(to: Acknowledger): void {
    const ring = this.#ring;
    if (ring === undefined) return;
    const mask = ring.length - 1;
    while (this.#head !== this.#next) {
      const entry = ring[this.#head & mask]!;
      if ((entry & settledBit) === 0) return;
      const sequence = this.#head;
      this.#head = (sequence + 1) >>> 0;
      to.acknowledge(entry & 0xffff, (entry & qos2Bit) === 0 ? 1 : 2, entry >>> 24, sequence);
    }
  }

  /** Gives memory back when nothing is in flight. */
  rest(): void {
    if (this.count === 0) this.#ring = undefined;
  }

  #grow(): Uint32Array {
    const before = this.#ring;
    const grown = new Uint32Array(before === undefined ? startSize : before.length * 2);
    if (before !== undefined) {
      for (let sequence = this.#head; sequence !== this.#next; sequence = (sequence + 1) >>> 0) {
        grown[sequence & (grown.length - 1)] = before[sequence & (before.length - 1)]!;
      }
    }
    return this.#ring = grown;
  }
}
