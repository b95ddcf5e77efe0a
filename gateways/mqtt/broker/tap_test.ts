import assert from "node:assert/strict";
import { ManualClock } from "../../../runtime/clock.ts";
import { turns } from "../../testing/turns.ts";
import { encodePacket } from "../codec/packet.ts";
import { noProperties } from "../codec/properties.ts";
import type { ByteStream } from "./byte_stream.ts";
import { BrokerTap, type TapHandler } from "./tap.ts";

/** The broker's end of a connection. */
class MemoryStream implements ByteStream {
  constructor(readonly chunkBytesMax: number | undefined) {}

  readonly written: Uint8Array[] = [];
  readonly #chunks: Uint8Array[] = [];
  #reader: ((chunk: Uint8Array | undefined) => void) | undefined;
  #closed = false;
  writable: Promise<void> = Promise.resolve();

  feed(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#answer();
  }

  read(): Promise<Uint8Array | undefined> {
    return new Promise((resolve) => {
      this.#reader = resolve;
      this.#answer();
    });
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.writable;
    this.written.push(bytes.slice());
  }

  close(): void {
    this.#closed = true;
    this.#answer();
  }

  #answer(): void {
    if (this.#reader === undefined || (this.#chunks.length === 0 && !this.#closed)) return;
    const reader = this.#reader;
    this.#reader = undefined;
    reader(this.#chunks.shift());
  }
}

const publishOf = (payload: Uint8Array) =>
  encodePacket(
    {
      kind: "publish",
      topic: "device/1",
      payload,
      qos: 0,
      dup: false,
      retain: false,
      packetId: 0,
      properties: noProperties,
    },
    4,
  );

const small = publishOf(new TextEncoder().encode("{}"));

function tapOn(
  handler: Partial<TapHandler> & Pick<TapHandler, "publish">,
  gatherMs = 0,
  clock = new ManualClock(),
  stream = new MemoryStream(100_000),
) {
  const tap = new BrokerTap({
    dial: () => Promise.resolve(stream),
    version: 4,
    packetBytesMax: 256 << 20,
    keptBytesMax: 10_000,
    gatherMs,
    clock,
    handler: { released() {}, drained() {}, ...handler },
  });
  return { stream, tap };
}

Deno.test("room that is made while what was taken is acknowledged is used", async () => {
  let held = 0;
  let taken = 0;
  const { stream, tap } = tapOn({
    publish: () => {
      if (held === 4) return false;
      held++;
      taken++;
      return true;
    },
    drained: () => {
      held = 0;
      tap.readOn();
    },
  });
  stream.feed(new Uint8Array(Array.from({ length: 10 }, () => [...small]).flat()));
  await turns();
  assert.equal(taken, 10);
  tap.destroy();
});

Deno.test("of a message that is too large the beginning is handed over, the rest skipped", async () => {
  const lengths: number[] = [];
  let refuse = true;
  const { stream, tap } = tapOn({
    publish: ({ payloadStart, payloadEnd }) => {
      if (refuse) return false;
      lengths.push(payloadEnd - payloadStart);
      return true;
    },
  });
  const large = publishOf(new Uint8Array(3 << 20).fill(0x20));
  const bytes = new Uint8Array([...small, ...large, ...small]);
  for (let at = 0; at < bytes.length; at += 7_001) stream.feed(bytes.slice(at, at + 7_001));
  await turns();
  refuse = false;
  tap.readOn();
  for (let i = 0; i < 2_000 && lengths.length < 3; i++) await turns(1);
  assert.equal(lengths.length, 3);
  assert.deepEqual([lengths[0], lengths[2]], [2, 2]);
  assert.ok(lengths[1]! > 9_000 && lengths[1]! < 10_000);
  tap.destroy();
});

Deno.test("nothing more is taken while the broker does not take what it is sent", async () => {
  let taken = 0;
  const { stream, tap } = tapOn({
    publish: () => {
      taken++;
      tap.send(new Uint8Array(10_000));
      return true;
    },
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  stream.writable = promise;
  stream.feed(new Uint8Array(Array.from({ length: 100 }, () => [...small]).flat()));
  await turns();
  assert.ok(taken > 1 && taken < 20);
  resolve();
  await turns(200);
  assert.equal(taken, 100);
  assert.equal(tap.outboundBytes, 0);
  tap.destroy();
});

Deno.test("small chunks gather in the socket, full ones do not wait", async () => {
  const clock = new ManualClock();
  let taken = 0;
  const { stream, tap } = tapOn({ publish: () => ++taken > 0 }, 5, clock);
  stream.feed(small);
  await turns();
  stream.feed(small);
  await turns();
  assert.equal(taken, 1);
  clock.advance(5);
  await turns();
  assert.equal(taken, 2);
  clock.advance(5);
  const many = Math.ceil(100_000 / small.length);
  stream.feed(new Uint8Array(Array.from({ length: many }, () => [...small]).flat()));
  stream.feed(small);
  await turns();
  assert.equal(taken, 2 + many + 1);
  tap.destroy();
  assert.equal(clock.pending, 0);
});

Deno.test("what comes as messages of a WebSocket does not wait: it cannot gather", async () => {
  const clock = new ManualClock();
  let taken = 0;
  const { stream, tap } = tapOn(
    { publish: () => ++taken > 0 },
    5,
    clock,
    new MemoryStream(undefined),
  );
  for (let i = 0; i < 10; i++) stream.feed(small);
  await turns();
  assert.equal(taken, 10);
  tap.destroy();
});
