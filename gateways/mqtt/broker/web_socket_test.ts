import assert from "node:assert/strict";
import fc from "fast-check";
import { ManualClock } from "../../../runtime/clock.ts";
import { frameBytes } from "../../websocket/wire/frame_bytes.ts";
import { frameHead, opcodes } from "../../websocket/wire/frame_head.ts";
import { acceptOf } from "../../websocket/wire/handshake.ts";
import type { Connection } from "./byte_stream.ts";
import { openWebSocket } from "./web_socket.ts";

const { binary, close, continuation, ping, pong, text } = opcodes;
const url = new URL("wss://broker.example:8084/mqtt?x=1");
const encode = (text: string) => new TextEncoder().encode(text);

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The other end: answers the request with what `answer` makes of its key, in `chunkBytes` a read. */
class FakeServer implements Connection {
  request = "";
  closed = false;
  readonly sent: Uint8Array[] = [];
  #left: Uint8Array = new Uint8Array(0);
  readonly #silence = Promise.withResolvers<null>();
  readonly #answer: (key: string) => Uint8Array | "silence";
  readonly #chunkBytes: () => number;

  constructor(answer: (key: string) => Uint8Array | "silence", chunkBytes = () => 65_536) {
    this.#answer = answer;
    this.#chunkBytes = chunkBytes;
  }

  write(bytes: Uint8Array): Promise<number> {
    if (this.request !== "") {
      const count = Math.min(bytes.length, 100); // As a socket that takes a part.
      this.sent.push(bytes.slice(0, count));
      return Promise.resolve(count);
    }
    this.request = new TextDecoder().decode(bytes);
    const key = /^Sec-WebSocket-Key: (\S+)/m.exec(this.request)?.[1] ?? "";
    const answer = this.#answer(key);
    if (answer !== "silence") {
      this.#left = answer;
      this.#silence.resolve(null);
    }
    return Promise.resolve(bytes.length);
  }

  async read(into: Uint8Array): Promise<number | null> {
    if (this.#left.length === 0) return await this.#silence.promise;
    const count = Math.min(into.length, this.#left.length, this.#chunkBytes());
    into.set(this.#left.subarray(0, count));
    this.#left = this.#left.subarray(count);
    return count;
  }

  close(): void {
    this.closed = true;
    this.#silence.reject(new Error("closed"));
  }
}

const answerTo = (key: string, protocol = "mqtt"): string =>
  `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nSec-Websocket-Accept: ${
    acceptOf(key)
  }\r\nSec-WebSocket-Protocol: ${protocol}\r\n\r\n`;

const welcoming = (...frames: readonly Uint8Array[]) => (key: string) =>
  joined([encode(answerTo(key)), ...frames]);

const open = (server: FakeServer, clock = new ManualClock()) => {
  let seed = 7;
  const random = (count: number) => new Uint8Array(count).map(() => (seed = seed * 31 % 251));
  return openWebSocket(server, { url, clock, random });
};

Deno.test("the request asks for mqtt at the URL's path", async () => {
  const server = new FakeServer(welcoming());
  (await open(server)).close();
  assert.match(server.request, /^GET \/mqtt\?x=1 HTTP\/1\.1\r\nHost: broker\.example:8084\r\n/);
  assert.match(server.request, /\r\nSec-WebSocket-Protocol: mqtt\r\n/);
  assert.ok(server.closed);
});

Deno.test("what comes in frames is one stream however it is cut, and each ping is answered", async () => {
  const frames = fc.array(
    fc.record({
      opcode: fc.constantFrom(binary, continuation, ping, pong),
      length: fc.oneof(fc.nat(130), fc.integer({ min: 65_530, max: 65_540 })),
    }),
    { maxLength: 8 },
  );
  const chunks = fc.infiniteStream(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.nat(70_000)));
  await fc.assert(
    fc.asyncProperty(frames, chunks, async (said, sizes) => {
      const all = said.map(({ opcode, length }, i) => ({
        opcode,
        payload: new Uint8Array(opcode < close ? length : length % 126).fill(i + 1),
      }));
      const chunkBytes = () => Math.max(1, sizes.next().value ?? 1);
      const frames = all.map(({ opcode, payload }) => frameBytes(opcode, payload));
      const server = new FakeServer(welcoming(...frames), chunkBytes);
      const stream = await open(server);
      const pieces: Uint8Array[] = [];
      for (let piece; (piece = await stream.read()) !== undefined;) pieces.push(piece.slice());
      const payloads = (wanted: (opcode: number) => boolean) =>
        joined(all.filter(({ opcode }) => wanted(opcode)).map(({ payload }) => payload));
      assert.deepEqual(joined(pieces), payloads((opcode) => opcode < close));
      assert.deepEqual(
        unmasked(joined(server.sent)).map(({ opcode, payload }) => [opcode, payload]),
        all.filter(({ opcode }) => opcode === ping).map(({ payload }) => [pong, payload]),
      );
    }),
    { numRuns: 60 },
  );
});

/** The frames that a client sent. */
function unmasked(bytes: Uint8Array): { opcode: number; payload: Uint8Array }[] {
  const frames: { opcode: number; payload: Uint8Array }[] = [];
  for (let at = 0; at < bytes.length;) {
    const head = frameHead(bytes, at, bytes.length, Infinity)!;
    const mask = bytes.subarray(head.maskAt, head.end);
    const payload = bytes.slice(head.end, head.end + head.length)
      .map((byte, i) => byte ^ mask[i & 3]!);
    frames.push({ opcode: head.opcode, payload });
    at = head.end + head.length;
  }
  return frames;
}

Deno.test("what is written goes out masked, whole and in order", async () => {
  const server = new FakeServer(welcoming());
  const stream = await open(server);
  const packets = [0, 125, 126, 65_535, 65_536].map((length, i) =>
    new Uint8Array(length).fill(i + 1)
  );
  await Promise.all(packets.map((packet) => stream.write(packet)));
  const frames = unmasked(joined(server.sent));
  assert.ok(frames.every(({ opcode }) => opcode === binary));
  assert.deepEqual(frames.map(({ payload }) => payload), packets);
});

Deno.test("an answer that opens no WebSocket for MQTT is said, and its connection closed", async () => {
  const answers: readonly (readonly [RegExp, (key: string) => string])[] = [
    [/answered with HTTP\/1\.1 403 Forbidden/, () => "HTTP/1.1 403 Forbidden\r\n\r\n"],
    [/to another request/, () => answerTo("another")],
    [/speaks chat, and not mqtt/, (key) => answerTo(key, "chat")],
    [/ended before the answer/, () => "HTTP/1.1 101 Switching"],
    [/the answer has no end/, () => `HTTP/1.1 101 ${"x".repeat(40_000)}`],
    [
      /the answer is too long/, // And not looked through, which took 7 s.
      () => `HTTP/1.1 101 Ok\r\nSec-WebSocket-Accept: a${" ".repeat(16_500)}b\r\n\r\n`,
    ],
  ];
  for (const [expected, answer] of answers) {
    const server = new FakeServer((key) => encode(answer(key)), () => 1_000);
    await assert.rejects(open(server), expected);
    assert.ok(server.closed);
  }
});

Deno.test("whoever does not answer within 8 s is left", async () => {
  const clock = new ManualClock();
  const server = new FakeServer(() => "silence");
  const opened = assert.rejects(open(server, clock), /no answer within 8 s/);
  clock.advance(8_000);
  await opened;
  assert.ok(server.closed);
});

Deno.test("text, masked frames and a close end it", async () => {
  const reading = async (frame: Uint8Array) =>
    (await open(new FakeServer(welcoming(frame)))).read();
  await assert.rejects(reading(frameBytes(text, encode("x"))), /\[MQTT-6\.0\.0-1\]/);
  const masked = frameBytes(binary, encode("x"), new Uint8Array([1, 2, 3, 4]));
  await assert.rejects(reading(masked), /a server masks no frames/);
  assert.equal(await reading(frameBytes(close, new Uint8Array(0))), undefined);
});
