/**
 * What one `postMessage` between two ports carries: credit for both lanes, and buffers. It comes
 * from another Worker, so it is `unknown` until it was read here.
 *
 * The form is a flat array, the cheapest thing that structured clone takes beside the buffers:
 * `[dataCount, dataBytes, controlCount, controlBytes, (kind, buffer)*]`.
 *
 * @module
 */
import type { Totals } from "./credit.ts";

/** What a buffer is. The index is the wire code. */
export const partKinds = ["buffer", "data", "control"] as const;
/** `buffer`: the user's own bytes. `data`, `control`: a frame of messages of that lane. */
export type PartKind = typeof partKinds[number];

/** Receives what a packet holds. */
export interface PacketReader {
  granted(data: Totals, control: Totals): void;
  part(kind: PartKind, bytes: Uint8Array): void;
}

/** Gathers a packet. */
export class Packet {
  #items: (number | ArrayBuffer)[] = [];
  #buffers: ArrayBuffer[] = [];

  get empty(): boolean {
    return this.#buffers.length === 0;
  }

  add(kind: PartKind, buffer: ArrayBuffer): void {
    this.#items.push(partKinds.indexOf(kind), buffer);
    this.#buffers.push(buffer);
  }

  /** The message and what to transfer with it; the packet is empty then. */
  take(data: Totals, control: Totals): { message: unknown; transfer: ArrayBuffer[] } {
    const message = [data.count, data.bytes, control.count, control.bytes, ...this.#items];
    const transfer = this.#buffers;
    this.#items = [];
    this.#buffers = [];
    return { message, transfer };
  }
}

/** @throws {TypeError} when the message is no packet. */
export function readPacket(message: unknown, reader: PacketReader): void {
  if (!Array.isArray(message) || message.length < 4 || message.length % 2 !== 0) {
    throw new TypeError("Cannot read the packet: no array of credit and buffers");
  }
  const items: readonly unknown[] = message;
  reader.granted(totals(items[0], items[1]), totals(items[2], items[3]));
  for (let i = 4; i < items.length; i += 2) {
    const kind = typeof items[i] === "number" ? partKinds[Number(items[i])] : undefined;
    const buffer = items[i + 1];
    if (kind === undefined || !(buffer instanceof ArrayBuffer)) {
      throw new TypeError(`Cannot read the packet: item ${i} is no buffer of a known kind`);
    }
    reader.part(kind, new Uint8Array(buffer));
  }
}

function totals(count: unknown, bytes: unknown): Totals {
  if (
    typeof count !== "number" || !Number.isSafeInteger(count) ||
    typeof bytes !== "number" || !Number.isSafeInteger(bytes)
  ) throw new TypeError("Cannot read the packet: its credit is no pair of integers");
  return { count, bytes };
}
