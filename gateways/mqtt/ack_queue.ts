/**
 * The messages of one connection that wait for their acknowledgement, in order of receipt.
 * Settlements come in any order; acknowledgements go out in the order of the messages
 * ([MQTT-4.6.0-2] for PUBACK, [MQTT-4.6.0-3] for PUBREC).
 *
 * @module
 */

const waiting = 0xffff;

/**
 * @example
 * ```ts
 * import { AckQueue } from "./ack_queue.ts";
 * import assert from "node:assert/strict";
 *
 * const queue = new AckQueue(16);
 * const first = queue.push(7, 1);
 * const second = queue.push(8, 1);
 * const written: number[] = [];
 * queue.settle(second, 0);
 * queue.release((packetId) => written.push(packetId));
 * assert.deepEqual(written, []); // 7 comes first
 * queue.settle(first, 0);
 * queue.release((packetId) => written.push(packetId));
 * assert.deepEqual(written, [7, 8]);
 * ```
 */
export class AckQueue {
  readonly #max: number;
  #packetIds = new Uint16Array(4);
  #qos = new Uint8Array(4);
  /** Reason code, or {@linkcode waiting}. */
  #codes = new Uint16Array(4);
  /** Sequence of the oldest, and of the next one. */
  #head = 0;
  #tail = 0;

  /** @param max messages that may wait; the caller stops reading before it pushes more. */
  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#tail - this.#head;
  }

  get full(): boolean {
    return this.size >= this.#max;
  }

  /** Takes a message in and gives the sequence that {@linkcode AckQueue.settle} wants. */
  push(packetId: number, qos: number): number {
    if (this.size === this.#packetIds.length) this.#grow();
    const at = this.#tail & (this.#packetIds.length - 1);
    this.#packetIds[at] = packetId;
    this.#qos[at] = qos;
    this.#codes[at] = waiting;
    return this.#tail++;
  }

  /** Takes back the newest message: it was not accepted after all. */
  unpush(): void {
    this.#tail--;
  }

  /** What came of a message: the reason code of its acknowledgement. */
  settle(sequence: number, reasonCode: number): void {
    if (sequence < this.#head || sequence >= this.#tail) return;
    this.#codes[sequence & (this.#packetIds.length - 1)] = reasonCode;
  }

  /** Hands over, oldest first, what may be acknowledged now. */
  release(write: (packetId: number, qos: number, reasonCode: number) => void): void {
    const mask = this.#packetIds.length - 1;
    while (this.#head < this.#tail) {
      const at = this.#head & mask;
      const code = this.#codes[at]!;
      if (code === waiting) return;
      this.#head++;
      write(this.#packetIds[at]!, this.#qos[at]!, code);
    }
  }

  #grow(): void {
    const size = this.#packetIds.length * 2;
    const packetIds = new Uint16Array(size);
    const qos = new Uint8Array(size);
    const codes = new Uint16Array(size);
    const mask = this.#packetIds.length - 1;
    for (let sequence = this.#head; sequence < this.#tail; sequence++) {
      packetIds[sequence & (size - 1)] = this.#packetIds[sequence & mask]!;
      qos[sequence & (size - 1)] = this.#qos[sequence & mask]!;
      codes[sequence & (size - 1)] = this.#codes[sequence & mask]!;
    }
    this.#packetIds = packetIds;
    this.#qos = qos;
    this.#codes = codes;
  }
}
