import assert from "node:assert/strict";
import { eventLoopTurn } from "../../../runtime/event_loop_turn.ts";
import { type FrameHead, opcodes, WireError } from "../../websocket/wire/frame_head.ts";
import type { Connection } from "../endpoint/link.ts";
import { type CarriedSocket, Carrier, type CarrierEnd } from "./carrier.ts";

/** What is said to who asks, one after the other; `null` from then on. */
class Says<T> {
  readonly #said: (T | null)[] = [];
  #asked: PromiseWithResolvers<void> | undefined;

  say(...what: (T | null)[]): void {
    this.#said.push(...what);
    this.#asked?.resolve();
  }

  async next(): Promise<T | null> {
    while (this.#said.length === 0) {
      this.#asked = Promise.withResolvers();
      await this.#asked.promise;
    }
    return this.#said[0] === null ? null : this.#said.shift()!;
  }
}

/** A shard that takes and says what the test lets it. */
class FakeShard implements Connection {
  readonly taken: number[] = [];
  readonly says = new Says<Uint8Array>();
  /** Bytes it takes of each write. */
  takes = Infinity;
  /** While it is set a write waits. */
  full: PromiseWithResolvers<void> | undefined;
  reads = 0;
  closedWrite = false;
  closed = false;

  async read(into: Uint8Array<ArrayBuffer>): Promise<number | null> {
    this.reads++;
    const bytes = await this.says.next();
    if (bytes !== null) into.set(bytes);
    return bytes?.length ?? null;
  }

  async write(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
    await this.full?.promise;
    if (this.closed) throw new Error("closed");
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
    this.full?.reject(new Error("closed"));
    this.says.say(null);
  }
}

/** A client's WebSocket, its frames given piece by piece. */
class FakeSocket implements CarriedSocket {
  error: WireError | undefined;
  readonly sent: number[][] = [];
  readonly closings: (number | undefined)[] = [];
  readonly frames = new Says<{ opcode: number; pieces: number[][] }>();
  /** While it is set nothing that is sent is taken. */
  full: PromiseWithResolvers<void> | undefined;
  pieces = 0;
  #left: number[][] = [];

  async frame(): Promise<FrameHead | undefined> {
    const frame = await this.frames.next();
    if (frame === null) return undefined;
    this.#left = [...frame.pieces];
    const length = frame.pieces.flat().length;
    return { opcode: frame.opcode, final: true, length, maskAt: 0, end: 0 };
  }

  piece(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    this.pieces++;
    const piece = this.#left.shift();
    return Promise.resolve(piece && new Uint8Array(piece));
  }

  async send(opcode: number, payload: Uint8Array): Promise<void> {
    assert.equal(opcode, opcodes.binary);
    this.sent.push([...payload]);
    await this.full?.promise;
  }

  close(code?: number): void {
    this.closings.push(code);
    this.frames.say(null);
  }
}

function carry() {
  const socket = new FakeSocket();
  const shard = new FakeShard();
  const ends: CarrierEnd[] = [];
  const carrier = new Carrier(socket, shard, (end) => ends.push(end));
  carrier.start();
  return { socket, shard, ends, carrier };
}

const binary = (...pieces: number[][]) => ({ opcode: opcodes.binary, pieces });

// Shows 5: 6.0.0-2; 3.1.1: 6.0.0-2.
Deno.test("bytes go both ways, in order, however much the shard takes at a time", async () => {
  const { socket, shard, ends } = carry();
  shard.takes = 2;
  socket.frames.say(binary([1, 2, 3], [4, 5]), binary(), binary([6]));
  shard.says.say(new Uint8Array([7, 8]), new Uint8Array([9]));
  await eventLoopTurn();
  assert.deepEqual(shard.taken, [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(socket.sent, [[7, 8], [9]]);
  shard.says.say(null);
  await eventLoopTurn();
  assert.deepEqual([ends, socket.closings, shard.closed], [["session"], [1000], true]);
});

Deno.test("what a client said last reaches its session, which ends in its own time", async () => {
  const { socket, shard, ends } = carry();
  socket.frames.say(binary([1, 2]), null);
  await eventLoopTurn();
  assert.deepEqual([shard.taken, shard.closedWrite, ends], [[1, 2], true, []]);
  shard.says.say(new Uint8Array([3]), null); // Nobody is there to hear it.
  await eventLoopTurn();
  assert.deepEqual([ends, socket.sent, socket.closings], [["client"], [], []]);
});

Deno.test("while the shard takes nothing the client is not read", async () => {
  const { socket, shard, ends } = carry();
  shard.full = Promise.withResolvers();
  socket.frames.say(binary([1], [2], [3]), binary([4]));
  await eventLoopTurn();
  assert.deepEqual([socket.pieces, shard.taken], [1, []]);
  shard.full.resolve();
  shard.full = undefined;
  await eventLoopTurn();
  assert.deepEqual([shard.taken, ends], [[1, 2, 3, 4], []]);
});

Deno.test("while the client takes nothing the shard is not read", async () => {
  const { socket, shard } = carry();
  socket.full = Promise.withResolvers();
  shard.says.say(new Uint8Array([1]), new Uint8Array([2]));
  await eventLoopTurn();
  assert.deepEqual([socket.sent, shard.reads], [[[1]], 1]);
  socket.full.resolve();
  socket.full = undefined;
  await eventLoopTurn();
  assert.deepEqual(socket.sent, [[1], [2]]);
});

Deno.test("a session that takes no more still says why, and then it ends", async () => {
  const { socket, shard, ends } = carry();
  shard.full = Promise.withResolvers();
  socket.frames.say(binary([1], [2]));
  await eventLoopTurn();
  shard.full.reject(new Error("broken pipe"));
  shard.says.say(new Uint8Array([5]), null);
  await eventLoopTurn();
  assert.deepEqual([socket.sent, ends, socket.closings], [[[5]], ["session"], [1000]]);
});

Deno.test("text ends with 1003, a frame that is not allowed by its own code, the service with 1001", async () => {
  const text = carry();
  text.socket.frames.say({ opcode: opcodes.text, pieces: [[1]] });
  await eventLoopTurn();
  assert.deepEqual([text.ends, text.socket.closings], [["text"], [1003]]);
  const refused = carry();
  refused.socket.error = new WireError(1002, "reserved");
  refused.socket.frames.say(null);
  await eventLoopTurn();
  assert.deepEqual([refused.ends, refused.socket.closings, refused.shard.closed], [
    ["protocol"],
    [],
    true,
  ]);
  const closed = carry();
  closed.carrier.close();
  closed.carrier.close();
  await eventLoopTurn();
  assert.deepEqual([closed.ends, closed.socket.closings], [["closed"], [1001]]);
});
