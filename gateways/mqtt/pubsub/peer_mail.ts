/**
 * What shards tell each other of subscribers and messages, and how it is read.
 *
 * @module
 */
import { ProtocolError } from "../codec/protocol_error.ts";
import { PacketReader } from "../codec/reader.ts";
import type { PacketWriter } from "../codec/writer.ts";
import type { Message } from "./message.ts";
import { readMessage, writeMessage } from "./message_record.ts";
import type { ShareTurn } from "./shared_out.ts";

export type PeerMail =
  /** Names and how many subscriptions each has now over there. `reset`: there are no others. */
  | {
    readonly kind: "interest";
    readonly from: number;
    readonly sequence: number;
    readonly reset: boolean;
    readonly changes: readonly (readonly [name: string, count: number])[];
    /** Kept sessions that are to be read anew; with `reset`, all may have changed. */
    readonly sessions: readonly number[];
  }
  /** Something waits for kept sessions that are connected there. */
  | { readonly kind: "queued"; readonly from: number; readonly sessions: readonly number[] }
  /** Everything up to this interest is known now. */
  | { readonly kind: "applied"; readonly from: number; readonly sequence: number }
  /** Messages, as {@linkcode writeForwarded} wrote them. */
  | { readonly kind: "messages"; readonly from: number; readonly batch: Uint8Array };

/** @throws {TypeError} when it is none. */
export function parsePeerMail(value: unknown): PeerMail {
  if (typeof value === "object" && value !== null && "from" in value && "kind" in value) {
    const { kind, from } = value;
    if (typeof from === "number") {
      if (kind === "messages" && "batch" in value && value.batch instanceof Uint8Array) {
        return { kind, from, batch: value.batch };
      }
      if (kind === "queued" && "sessions" in value) {
        return { kind, from, sessions: parseIds(value.sessions) };
      }
      if ("sequence" in value && typeof value.sequence === "number") {
        const { sequence } = value;
        if (kind === "applied") return { kind, from, sequence };
        if (
          kind === "interest" && "changes" in value && "reset" in value && "sessions" in value
        ) {
          const reset = value.reset === true;
          const sessions = parseIds(value.sessions);
          return { kind, from, sequence, reset, changes: parseChanges(value.changes), sessions };
        }
      }
    }
  }
  throw new TypeError("Cannot read mail of another shard's subscriptions: wrong shape");
}

function parseIds(value: unknown): number[] {
  if (Array.isArray(value) && value.every((id: unknown) => typeof id === "number")) return value;
  throw new TypeError("Cannot read the numbers of sessions: wrong shape");
}

function parseChanges(value: unknown): [string, number][] {
  if (!Array.isArray(value)) throw new TypeError("Cannot read interest: not a list");
  return value.map((entry: unknown) => {
    const [name, count]: readonly unknown[] = Array.isArray(entry) ? entry : [];
    if (typeof name !== "string" || typeof count !== "number") {
      throw new TypeError("Cannot read interest: wrong shape");
    }
    return [name, count];
  });
}

/** A message for another shard. */
export interface Forwarded {
  readonly message: Message;
  /** Whether it is for those who do not share. */
  readonly direct: boolean;
  /** Shared subscriptions one of whose members there is to get it. */
  readonly shares: readonly ShareTurn[];
  /** Of a QoS 2 message that may be sent on again: see {@linkcode SentMarks}. */
  readonly mark?: string | undefined;
  /** From a shard that was to choose and had no member any more. */
  readonly passedOn?: boolean;
}

const directFlag = 0b1;
const markFlag = 0b10;
const passedOnFlag = 0b100;

/** Appends it to a batch. */
export function writeForwarded(
  writer: PacketWriter,
  { message, direct, shares, mark, passedOn }: Forwarded,
): void {
  writer.byte(
    (direct ? directFlag : 0) | (mark === undefined ? 0 : markFlag) |
      (passedOn ? passedOnFlag : 0),
  );
  if (mark !== undefined) writer.text(mark);
  writer.uint16(shares.length);
  for (const { name, turn } of shares) {
    writer.text(name);
    writer.uint32(turn);
  }
  writeMessage(writer, message);
}

/** Reads a batch as far as it can be read; `malformed` hears of the rest. */
export function* readForwarded(
  batch: Uint8Array,
  malformed: (cause: ProtocolError) => void,
): Generator<Forwarded> {
  const reader = new PacketReader(batch);
  try {
    while (!reader.done) {
      const flags = reader.byte();
      const direct = (flags & directFlag) !== 0;
      const mark = (flags & markFlag) !== 0 ? reader.text() : undefined;
      const shares = Array.from({ length: reader.uint16() }, () => {
        return { name: reader.text(), turn: reader.uint32() };
      });
      const passedOn = (flags & passedOnFlag) !== 0;
      yield { direct, shares, mark, passedOn, message: readMessage(reader) };
    }
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause;
    malformed(cause);
  }
}
