/**
 * A message gathered from its frames, within bounds: of its own size, of time, and of what the
 * messages of all connections may take together.
 *
 * @module
 */
import type { Clock } from "../../../runtime/clock.ts";
import type { ByteRoom } from "./byte_room.ts";
import { opcodes, WireError } from "./frame_head.ts";
import type { ServerSocket } from "./server_socket.ts";

export interface Message {
  readonly isText: boolean;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** It has room for as long as somebody holds it; without it nobody may for longer than to look. */
  readonly hasRoom: boolean;
  /** Its bytes are not held any more: their room is others'. */
  readonly release: () => void;
}

/** A message in one frame of so few bytes waits for no room: not even large ones keep it waiting. */
const smallBytesMax = 4 * 1024;

export interface MessageLimits {
  readonly bytesMax: number;
  readonly room: ByteRoom;
  /** How long a message may take to come, once there is room for it. */
  readonly deadlineMs: number;
  readonly clock: Clock;
}

/**
 * The next message; `undefined`: no more comes. While there is no room for a message it is not read.
 * Memory is taken for the frame whose head has come, so a message in many frames waits for none:
 * what there is no room for ends it, lest messages that were begun wait for each other.
 */
export async function readMessage(
  socket: ServerSocket,
  { bytesMax, room, deadlineMs, clock }: MessageLimits,
): Promise<Message | undefined> {
  const first = await socket.frame(Math.min(bytesMax, room.bytesMax));
  if (first === undefined) return undefined;
  const isSmall = first.final && first.length <= smallBytesMax;
  if (!isSmall) await room.take(first.length);
  let bytes = new Uint8Array(first.length);
  let length = first.length;
  let whole = false;
  const timer = clock.setTimer(
    deadlineMs,
    () => socket.fail(new WireError(1008, "the message took too long to come")),
  );
  try {
    if (!await socket.into(bytes)) return undefined;
    for (let last = first.final; !last;) {
      const next = await socket.frame(bytesMax - length);
      if (next === undefined) return undefined;
      last = next.final;
      const grown = length + next.length > bytes.length
        ? grow(bytes, length + next.length, bytesMax, room)
        : bytes;
      if (grown === undefined) {
        socket.fail(new WireError(1013, "there is no room for the message now"));
        return undefined;
      }
      bytes = grown;
      if (!await socket.into(bytes.subarray(length, length + next.length))) return undefined;
      length += next.length;
    }
    whole = true;
    const isText = first.opcode === opcodes.text;
    const roomBytes = bytes.length;
    const hasRoom = !isSmall || room.tryTake(roomBytes);
    let held = hasRoom;
    const release = (): void => {
      if (held) room.give(roomBytes);
      held = false;
    };
    return { isText, bytes: bytes.subarray(0, length), hasRoom, release };
  } finally {
    timer.clear();
    if (!whole && !isSmall) room.give(bytes.length);
  }
}

/** Twice as large at least, so that many small frames are not copied over and over. */
function grow(
  bytes: Uint8Array<ArrayBuffer>,
  neededBytes: number,
  bytesMax: number,
  room: ByteRoom,
): Uint8Array<ArrayBuffer> | undefined {
  const capacity = Math.min(bytesMax, Math.max(neededBytes, 2 * bytes.length));
  if (!room.tryTake(capacity - bytes.length)) return undefined;
  const grown = new Uint8Array(capacity);
  grown.set(bytes);
  return grown;
}
