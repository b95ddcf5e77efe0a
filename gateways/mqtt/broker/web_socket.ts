/**
 * The client's side of a WebSocket with the sub-protocol `mqtt` (MQTT 5, section 6; RFC 6455), on a
 * connection that is there already: its certificates are the connection's, and whoever does not
 * read makes the broker wait. To MQTT what comes is one stream [MQTT-6.0.0-2], so frames are handed
 * over as they come, in pieces, and never gathered.
 *
 * @module
 */
import type { Clock } from "../../../runtime/clock.ts";
import { frameBytes } from "../../websocket/wire/frame_bytes.ts";
import { type FrameHead, frameHead, opcodes } from "../../websocket/wire/frame_head.ts";
import { acceptOf } from "../../websocket/wire/handshake.ts";
import {
  type ByteStream,
  closeQuietly,
  type Connection,
  readBytes,
  writeAll,
} from "./byte_stream.ts";

const openMs = 8_000;
const headBytesMax = 16 * 1024;
const shownCharsMax = 100;

export interface WebSocketOptions {
  readonly url: URL;
  readonly clock: Pick<Clock, "setTimer">;
  /** So many bytes that nobody can guess. */
  readonly random: (count: number) => Uint8Array<ArrayBuffer>;
}

/**
 * Opens a WebSocket to `url` on `connection`, which it closes when that fails.
 *
 * @throws {Error} when the other end answers otherwise, or not within 8 s.
 */
export async function openWebSocket(
  connection: Connection,
  { url, clock, random }: WebSocketOptions,
): Promise<ByteStream> {
  let late = false;
  const timer = clock.setTimer(openMs, () => {
    late = true;
    closeQuietly(connection);
  });
  const socket = new ClientSocket(connection, random);
  try {
    await socket.open(url);
    return socket;
  } catch (cause) {
    if (!late) closeQuietly(connection);
    throw late ? problem(`no answer within ${openMs / 1000} s`, cause) : cause;
  } finally {
    timer.clear();
  }
}

const problem = (what: string, cause?: unknown): Error =>
  new Error(`open a WebSocket: ${what}`, { cause });

class ClientSocket implements ByteStream {
  readonly chunkBytesMax = undefined;
  readonly #connection: Connection;
  readonly #random: WebSocketOptions["random"];
  readonly #buffer = new Uint8Array(readBytes);
  /** What has come and was not handed over. */
  #start = 0;
  #end = 0;
  /** Bytes of the frame under way that are still to be handed over. */
  #leftBytes = 0;
  #written: Promise<void> = Promise.resolve();

  constructor(connection: Connection, random: WebSocketOptions["random"]) {
    this.#connection = connection;
    this.#random = random;
  }

  async open({ host, pathname, search }: URL): Promise<void> {
    const key = this.#random(16).toBase64();
    const lines = [
      `GET ${pathname}${search} HTTP/1.1`,
      `Host: ${host}`,
      "Upgrade: websocket",
      "Connection: Upgrade",
      `Sec-WebSocket-Key: ${key}`,
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Protocol: mqtt",
      "\r\n",
    ];
    await this.#send(new TextEncoder().encode(lines.join("\r\n")));
    checkAnswer(await this.#answerHead(), key);
  }

  async read(): Promise<Uint8Array | undefined> {
    for (;;) {
      if (this.#leftBytes > 0 && this.#start < this.#end) return this.#piece();
      if (this.#leftBytes === 0) {
        const head = frameHead(this.#buffer, this.#start, this.#end, Infinity, "server");
        if (head !== undefined && this.#isWhole(head)) {
          if (head.opcode === opcodes.close) return undefined;
          await this.#begin(head);
          continue;
        }
      }
      if (!await this.#more()) return undefined;
    }
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#sendFrame(opcodes.binary, bytes);
  }

  close(): void {
    closeQuietly(this.#connection);
  }

  /** Of control frames all must be there; they are small. */
  #isWhole({ opcode, end, length }: FrameHead): boolean {
    return opcode < opcodes.close || end + length <= this.#end;
  }

  async #begin({ opcode, end, length }: FrameHead): Promise<void> {
    if (opcode === opcodes.text) {
      throw new Error("a WebSocket's frame is text, and MQTT is binary [MQTT-6.0.0-1]");
    }
    if (opcode < opcodes.close) {
      this.#start = end;
      this.#leftBytes = length;
      return;
    }
    const payload = this.#buffer.slice(end, end + length);
    this.#start = end + length;
    if (opcode === opcodes.ping) await this.#sendFrame(opcodes.pong, payload);
  }

  #piece(): Uint8Array {
    const end = Math.min(this.#end, this.#start + this.#leftBytes);
    const piece = this.#buffer.subarray(this.#start, end);
    this.#leftBytes -= piece.length;
    this.#start = end;
    return piece;
  }

  /** False: there is no more. */
  async #more(): Promise<boolean> {
    this.#buffer.copyWithin(0, this.#start, this.#end);
    this.#end -= this.#start;
    this.#start = 0;
    const count = await this.#connection.read(this.#buffer.subarray(this.#end));
    if (count === null) return false;
    this.#end += count;
    return true;
  }

  /** Up to the empty line; what comes behind it is left for frames. */
  async #answerHead(): Promise<string> {
    for (;;) {
      const text = new TextDecoder("latin1").decode(this.#buffer.subarray(0, this.#end));
      const at = text.indexOf("\r\n\r\n");
      if (at >= 0) {
        this.#start = at + 4;
        if (at > headBytesMax) throw problem("the answer is too long");
        return text.slice(0, at);
      }
      if (this.#end > headBytesMax) throw problem("the answer has no end");
      if (!await this.#more()) throw problem("the connection ended before the answer");
    }
  }

  #sendFrame(opcode: number, payload: Uint8Array): Promise<void> {
    return this.#send(frameBytes(opcode, payload, this.#random(4)));
  }

  /** One after the other: an answer to a ping must not fall into another frame. */
  #send(bytes: Uint8Array): Promise<void> {
    const sent = this.#written.then(() => writeAll(this.#connection, bytes));
    this.#written = sent.catch(() => {}); // Whoever sent it is told.
    return sent;
  }
}

function checkAnswer(head: string, key: string): void {
  const status = head.split("\r\n", 1)[0]!.slice(0, shownCharsMax);
  if (!/^HTTP\/1\.1 101\b/.test(status)) throw problem(`it was answered with ${status}`);
  const headers = headersOf(head);
  const header = (name: string) => headers.get(name);
  if (header("sec-websocket-accept") !== acceptOf(key)) {
    throw problem("the answer is to another request");
  }
  const protocol = header("sec-websocket-protocol");
  if (protocol !== undefined && protocol !== "mqtt") {
    throw problem(`the other end speaks ${protocol.slice(0, shownCharsMax)}, and not mqtt`);
  }
}

/** By name in lower case; no pattern, for what looks for its end again and again takes seconds. */
function headersOf(head: string): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (const line of head.split("\r\n").slice(1)) {
    const colon = line.indexOf(":");
    if (colon > 0) headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return headers;
}
