/**
 * One message in the queue of a kept session.
 *
 * @module
 */
import { ProtocolError } from "../codec/protocol_error.ts";
import { PacketReader } from "../codec/reader.ts";
import type { Delivery, Message } from "../pubsub/message.ts";
import { readMessage } from "../pubsub/message_record.ts";

/** See the module. */
export interface KeptRow {
  readonly n: number;
  /** `released`: PUBREC came, and PUBREL is due. `damaged`: it cannot be read. */
  readonly message: Message | "released" | "damaged";
  readonly delivery: Delivery;
  /** What it counts for. */
  readonly bytes: number;
}

const qosMask = 0b11;
const retainFlag = 0b100;
/** PUBREC came. */
export const releasedFlag = 0b1000;
const identifiers = 0xffff;
const none: readonly number[] = [];

/** Identifiers count up with the numbers, and leave out 0. */
export const packetIdOf = (n: number): number => n % identifiers + 1;

export function flagsOf({ qos, retain }: Delivery): number {
  return qos | (retain ? retainFlag : 0);
}

export function readRow(row: Record<string, unknown>): KeptRow {
  const flags = Number(row["flags"]);
  const { ids } = row;
  return {
    n: Number(row["n"]),
    message: (flags & releasedFlag) === 0 ? readBody(row["body"]) : "released",
    delivery: {
      qos: (flags & qosMask) === 1 ? 1 : 2,
      retain: (flags & retainFlag) !== 0,
      ids: typeof ids === "string" ? ids.split(",").map(Number) : none,
    },
    bytes: Number(row["bytes"]),
  };
}

function readBody(body: unknown): Message | "damaged" {
  if (!(body instanceof Uint8Array)) return "damaged";
  try {
    return readMessage(new PacketReader(body));
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause;
    return "damaged";
  }
}
