/**
 * A WebSocket client's bytes, also those that no good client sends, for tests.
 *
 * @module
 */

export interface ClientFrame {
  readonly opcode: number;
  readonly final?: boolean;
  readonly payload?: Uint8Array | string;
  readonly mask?: readonly number[];
  /** What the head says of the payload's length, instead of the truth. */
  readonly announcedBytes?: number;
  /** Bits of the first byte that are to be set beside. */
  readonly reserved?: number;
  readonly unmasked?: boolean;
}

/** A frame as a client sends it. */
export function clientFrame(frame: ClientFrame): Uint8Array<ArrayBuffer> {
  const { opcode, final = true, mask = [1, 2, 3, 4], reserved = 0, unmasked = false } = frame;
  const payload = typeof frame.payload === "string"
    ? new TextEncoder().encode(frame.payload)
    : frame.payload ?? new Uint8Array(0);
  const length = frame.announcedBytes ?? payload.length;
  const lengths = new DataView(new ArrayBuffer(8));
  lengths.setBigUint64(0, BigInt(length));
  const long = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const head = [
    (final ? 0x80 : 0) | reserved | opcode,
    (unmasked ? 0 : 0x80) | (long === 0 ? length : long === 2 ? 126 : 127),
    ...new Uint8Array(lengths.buffer, 8 - long),
    ...unmasked ? [] : mask,
  ];
  const bytes = new Uint8Array(head.length + payload.length);
  bytes.set(head);
  for (const [i, byte] of payload.entries()) {
    bytes[head.length + i] = unmasked ? byte : byte ^ mask[i & 3]!;
  }
  return bytes;
}

/** The head of a request that opens a WebSocket at `path`. */
export function upgradeHead(path: string, headers: Readonly<Record<string, string>> = {}): string {
  const all = {
    host: "127.0.0.1",
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`;
}

/** A frame of the service's. */
export interface ServerFrame {
  readonly opcode: number;
  readonly payload: Uint8Array;
}

/** The whole frames in what the service sent, and what is left of the bytes. */
export function serverFrames(bytes: Uint8Array): {
  readonly frames: readonly ServerFrame[];
  readonly rest: Uint8Array;
} {
  const frames: ServerFrame[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  while (at + 2 <= bytes.length) {
    const short = bytes[at + 1]!;
    const start = at + 2 + (short === 126 ? 2 : short === 127 ? 8 : 0);
    if (start > bytes.length) break;
    const length = short === 126
      ? view.getUint16(at + 2)
      : short === 127
      ? Number(view.getBigUint64(at + 2))
      : short;
    if (start + length > bytes.length) break;
    frames.push({ opcode: bytes[at]! & 0x0f, payload: bytes.slice(start, start + length) });
    at = start + length;
  }
  return { frames, rest: bytes.slice(at) };
}

/** The code of the close frame among them, if there is one. */
export function closeCodeIn(frames: readonly ServerFrame[]): number | undefined {
  const close = frames.find(({ opcode }) => opcode === 8)?.payload;
  return close && (close.length === 0 ? 1005 : close[0]! << 8 | close[1]!);
}
