/**
 * The messages of one connection that were sent and not yet acknowledged: a ring, because packet
 * identifiers are given in order and mostly come back in order.
 *
 * Messages of a connection are numbered from 0; number `k` has packet identifier
 * `k mod 65535 + 1`, so that one follows from the other.
 *
 * @module
 */

const packetIds = 65_535;

const open = 0;
/**
 * QoS 2: PUBREC came, PUBREL is out. The message counts as acknowledged: with PUBREC its receiver
 * has accepted ownership of it, and after PUBREL it is not sent again [MQTT-4.3.3-6].
 */
const released = 1;
const closed = 2;

/** Numbers never sent before, numbers in flight `first..next`, and numbers done below `first`. */
export class InFlight {
  /** Oldest message that is not done. */
  first = 0;
  /** The next new message. */
  next = 0;
  readonly #state: Uint8Array;
  readonly #dueMs: Float64Array;
  readonly #sentMs: Float64Array;
  readonly #mask: number;

  /** `capacity`: the most messages in flight; at most 65,535. */
  constructor(capacity: number) {
    if (!(capacity >= 1 && capacity <= packetIds)) {
      throw new RangeError(`Cannot keep ${capacity} messages in flight: 1 to ${packetIds}`);
    }
    const size = 2 ** Math.ceil(Math.log2(capacity));
    this.#mask = size - 1;
    this.#state = new Uint8Array(size);
    this.#dueMs = new Float64Array(size);
    this.#sentMs = new Float64Array(size);
  }

  get count(): number {
    return this.next - this.first;
  }

  /** Takes the next number into flight. */
  send(dueMs: number, sentMs: number): number {
    const k = this.next++;
    const slot = k & this.#mask;
    this.#state[slot] = open;
    this.#dueMs[slot] = dueMs;
    this.#sentMs[slot] = sentMs;
    return k;
  }

  /** The message that a packet identifier stands for now; -1 when none in flight has it. */
  find(packetId: number): number {
    const firstId = this.first % packetIds + 1;
    const k = this.first + (packetId - firstId + packetIds) % packetIds;
    return k < this.next && this.#state[k & this.#mask] !== closed ? k : -1;
  }

  /** QoS 2: PUBREC came. False when it had come before. */
  release(k: number): boolean {
    const slot = k & this.#mask;
    if (this.#state[slot] !== open) return false;
    this.#state[slot] = released;
    return true;
  }

  isReleased(k: number): boolean {
    return this.#state[k & this.#mask] === released;
  }

  isClosed(k: number): boolean {
    return this.#state[k & this.#mask] === closed;
  }

  /** The message is done. */
  close(k: number): void {
    this.#state[k & this.#mask] = closed;
    while (this.first < this.next && this.#state[this.first & this.#mask] === closed) this.first++;
  }

  /** When the message should have been sent, and when it was for the first time. */
  dueMs(k: number): number {
    return this.#dueMs[k & this.#mask]!;
  }

  sentMs(k: number): number {
    return this.#sentMs[k & this.#mask]!;
  }
}

/** The packet identifier of message number `k`. */
export function packetIdOf(k: number): number {
  return k % packetIds + 1;
}
