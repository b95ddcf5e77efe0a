import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { ManualClock } from "../../../runtime/clock.ts";
import type { Connection } from "../endpoint/link.ts";
import { type CarriedSocket, Carrier, type CarrierEnd } from "./carrier.ts";

/** A shard that takes and says what the test lets it. */
class FakeShard implements Connection {
  readonly taken: number[] = [];
  /** Bytes it takes of each write; 0: it takes none, and the write waits. */
  takes = Infinity;
  reads = 0;
  closedWrite = false;
  closed = false;
  readonly #says: (Uint8Array | null)[] = [];
  #asked: PromiseWithResolvers<void> | undefined;

  say(bytes: Uint8Array | null): void {
    this.#says.push(bytes);
    this.#asked?.resolve();
  }

  async read(into: Uint8Array<ArrayBuffer>): Promise<number | null> {
    this.reads++;
    while (this.#says.length === 0) {
      this.#asked = Promise.withResolvers();
      await this.#asked.promise;
    }
    const bytes = this.#says.shift() ?? null;
    if (bytes !== null) into.set(bytes);
    return bytes?.length ?? null;
  }

  async write(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
    if (this.takes === 0) await new Promise<never>(() => {});
    const count = Math.min(this.takes, bytes.length);
    this.taken.push(...bytes.subarray(0, count));
    return count;
  }

  closeWrite(): Promise<void> {
    this.closedWrite = true;
    return Promise.resolve();
  }

  close(): void {
    this.closed = true;
    this.say(null);
  }
}

class FakeSocket implements CarriedSocket {
  bufferedAmount = 0;
  readonly sent: number[][] = [];
  readonly closings: number[] = [];

  send(bytes: Uint8Array<ArrayBuffer>): void {
    this.sent.push([...bytes]);
  }

  close(code: number): void {
    this.closings.push(code);
  }
}

function carry(budgetBytes = 64 * 1024 * 1024) {
  const socket = new FakeSocket();
  const shard = new FakeShard();
  const clock = new ManualClock();
  const ends: CarrierEnd[] = [];
  const budget = { used: 0 };
  const carrier = new Carrier(socket, shard, {
    clock,
    take: (bytes) => {
      if (budget.used + bytes > budgetBytes) return false;
      budget.used += bytes;
      return true;
    },
    give: (bytes) => budget.used -= bytes,
    unsentBytesMax: () => 100,
    ended: (end) => ends.push(end),
  });
  carrier.start();
  return { socket, shard, clock, ends, budget, carrier };
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
const frame = (...bytes: number[]) => new Uint8Array(bytes).buffer;

// Shows 5: 6.0.0-2; 3.1.1: 6.0.0-2.
Deno.test("bytes go both ways, in order, however much the shard takes at a time", async () => {
  const { socket, shard, carrier, ends, budget } = carry();
  shard.takes = 2;
  carrier.received(frame(1, 2, 3, 4, 5));
  carrier.received(frame());
  carrier.received(frame(6));
  shard.say(new Uint8Array([7, 8]));
  shard.say(new Uint8Array([9]));
  await settle();
  assert.deepEqual(shard.taken, [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(socket.sent, [[7, 8], [9]]);
  assert.equal(budget.used, 0);
  shard.say(null);
  await settle();
  assert.deepEqual(ends, ["session"]);
  assert.deepEqual(socket.closings, [1000]);
  assert.equal(shard.closed, true);
});

Deno.test("what a client said last reaches its session, which ends in its own time", async () => {
  const { socket, shard, carrier, ends } = carry();
  carrier.received(frame(1, 2));
  carrier.closed();
  carrier.closed();
  await settle();
  assert.deepEqual(shard.taken, [1, 2]);
  assert.equal(shard.closedWrite, true);
  assert.deepEqual(ends, []);
  shard.say(new Uint8Array([3])); // Nobody is there to hear it.
  shard.say(null);
  await settle();
  assert.deepEqual(ends, ["client"]);
  assert.deepEqual([socket.sent, socket.closings], [[], []]);
});

Deno.test("a flood the shard does not take ends with 1009, and gives back what it held", async () => {
  const { socket, shard, carrier, ends, budget } = carry();
  shard.takes = 0;
  const mebibyte = new ArrayBuffer(1024 * 1024);
  for (let i = 0; i < 4; i++) carrier.received(mebibyte);
  await settle();
  assert.equal(budget.used, 4 * 1024 * 1024);
  assert.deepEqual(ends, []);
  carrier.received(frame(1));
  assert.deepEqual(ends, ["flooded"]);
  assert.deepEqual(socket.closings, [1009]);
  assert.equal(shard.closed, true);
  assert.equal(budget.used, 0);
  carrier.received(mebibyte);
  await settle();
  assert.deepEqual([ends, budget.used], [["flooded"], 0]);
});

Deno.test("the budget of all clients ends a flood sooner", () => {
  const { socket, shard, carrier, ends, budget } = carry(10);
  shard.takes = 0;
  carrier.received(frame(1, 2, 3, 4, 5, 6));
  assert.deepEqual(ends, []);
  carrier.received(frame(1, 2, 3, 4, 5));
  assert.deepEqual([ends, socket.closings, budget.used], [["flooded"], [1009], 0]);
});

Deno.test("while a client takes nothing its shard is not read, and goes on when it does", async () => {
  const { socket, shard, carrier, clock } = carry();
  socket.bufferedAmount = 101;
  shard.say(new Uint8Array([1]));
  shard.say(new Uint8Array([2]));
  await settle();
  for (let looked = 0; looked < 20; looked++) {
    clock.advance(250);
    await settle();
  }
  assert.deepEqual(socket.sent, [[1]]);
  assert.equal(shard.reads, 1);
  socket.bufferedAmount = 100;
  clock.advance(250);
  await settle();
  assert.deepEqual(socket.sent, [[1], [2]]);
  carrier.close();
  await settle();
  assert.equal(clock.pending, 0);
});

Deno.test("a text frame ends with 1003, the service's own end with 1001", () => {
  for (
    const [act, end, code] of [
      [(carrier: Carrier) => carrier.received("text"), "text", 1003],
      [(carrier: Carrier) => carrier.close(), "closed", 1001],
    ] as const
  ) {
    const { socket, carrier, ends } = carry();
    act(carrier);
    act(carrier);
    assert.deepEqual([ends, socket.closings], [[end], [code]]);
  }
});
