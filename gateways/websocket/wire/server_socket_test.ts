import assert from "node:assert/strict";
import fc from "fast-check";
import { ManualClock } from "../../../runtime/clock.ts";
import { eventLoopTurn } from "../../../runtime/event_loop_turn.ts";
import { MemoryConnection } from "../../mqtt/endpoint/testing.ts";
import { BufferBudget } from "../../mqtt/endpoint/read_buffer.ts";
import {
  type ClientFrame,
  clientFrame,
  closeCodeIn,
  serverFrames,
} from "../testing/client_frames.ts";
import { ByteRoom } from "./byte_room.ts";
import { opcodes } from "./frame_head.ts";
import { readMessage } from "./message.ts";
import { ServerSocket } from "./server_socket.ts";

const { text, binary, continuation, ping, pong, close } = opcodes;
const utf8 = new TextDecoder();

/** A socket whose messages are read as long as they come. */
function opened({ bytesMax = 1_000, room = new ByteRoom(10_000) } = {}) {
  const connection = new MemoryConnection();
  const clock = new ManualClock();
  const budget = new BufferBudget(100_000);
  const socket = new ServerSocket(connection, new Uint8Array(0), { clock, budget, idleMs: 30_000 });
  const heard: string[] = [];
  const over = (async () => {
    for (;;) {
      const limits = { bytesMax, room, deadlineMs: 5_000, clock };
      const message = await readMessage(socket, limits);
      if (message === undefined) return;
      heard.push(`${message.isText ? "t" : "b"} ${utf8.decode(message.bytes)}`);
      message.release();
    }
  })();
  let got = new Uint8Array(0);
  return {
    connection,
    clock,
    budget,
    socket,
    room,
    heard,
    over,
    say: async (...frames: readonly ClientFrame[]) => {
      connection.feed(...frames.map(clientFrame));
      await eventLoopTurn();
    },
    /** All frames so far. */
    sent: () => {
      got = new Uint8Array([...got, ...connection.sentBytes()]);
      return serverFrames(got).frames;
    },
  };
}

Deno.test("messages come whole, whatever they were cut into, with pings between", async () => {
  const it = opened();
  await it.say(
    { opcode: text, payload: "one" },
    { opcode: text, payload: "t", final: false },
    { opcode: ping, payload: "p" },
    { opcode: continuation, final: false },
    { opcode: pong },
    { opcode: continuation, payload: "wo" },
    { opcode: binary, payload: "three" },
    { opcode: close, payload: new Uint8Array([3, 232]) },
  );
  it.connection.end();
  await it.over;
  await it.socket.closed;
  assert.deepEqual(it.heard, ["t one", "t two", "b three"]);
  assert.deepEqual(it.sent().map(({ opcode, payload }) => [opcode, [...payload]]), [
    [pong, [112]],
    [close, [3, 232]],
  ]);
  assert.deepEqual([it.connection.closed, it.clock.pending, it.room.usedBytes], [true, 0, 0]);
});

Deno.test("what is not allowed ends the connection with its code, and gives back what it held", async () => {
  const refused: readonly (readonly [string, readonly ClientFrame[], number])[] = [
    ["a continuation of nothing", [{ opcode: continuation }], 1002],
    ["a message in a message", [{ opcode: text, final: false }, { opcode: text }], 1002],
    ["too large", [{ opcode: text, announcedBytes: 64_000_000 }], 1009],
    ["too large in parts", [
      { opcode: text, payload: "x".repeat(600), final: false },
      { opcode: continuation, payload: "x".repeat(401) },
    ], 1009],
    ["no mask", [{ opcode: text, payload: "x", unmasked: true }], 1002],
    ["compression", [{ opcode: text, payload: "x", reserved: 0x40 }], 1002],
    ["a close with half a code", [{ opcode: close, payload: "x" }], 1002],
    ["a close with 1005", [{ opcode: close, payload: new Uint8Array([3, 237]) }], 1002],
    ["a reason that is no text", [{ opcode: close, payload: new Uint8Array([3, 232, 255]) }], 1007],
  ];
  for (const [name, frames, code] of refused) {
    const it = opened();
    await it.say(...frames);
    await it.over;
    assert.equal(closeCodeIn(it.sent()), code, name);
    assert.equal(it.socket.error?.code, code, name);
    assert.deepEqual([it.heard, it.room.usedBytes], [[], 0], name);
    // What follows is not looked at, and who does not close is closed.
    await it.say({ opcode: text, payload: "more" });
    it.clock.advance(2_000);
    await it.socket.closed;
    assert.deepEqual([it.heard, it.budget.usedBytes], [[], 0], name);
  }
});

Deno.test("fragments without end are cut off by time, also empty ones", async () => {
  const it = opened();
  await it.say({ opcode: text, payload: "x", final: false });
  for (let s = 0; s < 5; s++) {
    await it.say({ opcode: continuation, final: false }, { opcode: ping });
    it.clock.advance(1_000);
  }
  await eventLoopTurn();
  assert.equal(closeCodeIn(it.sent()), 1008);
  it.connection.end();
  await it.over;
  assert.equal(it.room.usedBytes, 0);
});

Deno.test("without room a large message is not read, one in parts ends, a small one comes", async () => {
  const room = new ByteRoom(10_000);
  const all = { bytesMax: 10_000, room };
  const [one, other, small] = [opened(all), opened(all), opened(all)];
  await one.say({ opcode: text, payload: "x".repeat(7_000), announcedBytes: 8_000 });
  await other.say({ opcode: text, payload: "y".repeat(5_000) });
  await small.say({ opcode: text, payload: "z".repeat(4_096) });
  assert.deepEqual([other.heard, other.connection.reading], [[], false]);
  assert.deepEqual(small.heard.map(({ length }) => length), [4_098]);
  one.connection.feed(clientFrame({ opcode: text, payload: "x".repeat(1_000) }).subarray(8));
  while (other.heard.length === 0) await eventLoopTurn();
  assert.equal(one.heard.length, 1);
  await one.say({ opcode: text, payload: "x".repeat(6_000), final: false });
  await other.say(
    { opcode: text, payload: "y".repeat(3_000), final: false },
    { opcode: continuation, payload: "y".repeat(2_000) },
  );
  assert.equal(closeCodeIn(other.sent()), 1013);
});

Deno.test("a flood of pings waits for who does not read the pongs", async () => {
  const it = opened();
  await eventLoopTurn();
  it.connection.blockWrites();
  await it.say(
    ...Array.from({ length: 1_000 }, () => ({ opcode: ping, payload: "x".repeat(125) })),
  );
  assert.ok(it.socket.bufferedAmount <= 127, `${it.socket.bufferedAmount} bytes`);
  it.connection.unblockWrites();
  while (it.sent().length < 1_000) await eventLoopTurn();
  assert.equal(it.sent().at(-1)?.payload.length, 125);
});

Deno.test("who goes on sending and takes nothing of what it is sent is ended, who takes a little is not", async () => {
  const [deaf, slow] = [opened(), opened()];
  await eventLoopTurn();
  for (const { connection } of [deaf, slow]) connection.blockWrites();
  for (let s = 1; s <= 100; s++) {
    for (const it of [deaf, slow]) {
      await it.say({ opcode: ping }, { opcode: ping });
      it.clock.advance(1_000);
    }
    if (s % 25 > 0) continue;
    slow.connection.unblockWrites();
    await eventLoopTurn();
    slow.connection.blockWrites();
  }
  assert.deepEqual([deaf.connection.closed, slow.connection.closed], [true, false]);
  await deaf.over;
  assert.deepEqual([deaf.sent(), deaf.clock.pending], [[], 0]);
});

Deno.test("what is sent to who takes nothing is not waited for without end, though nobody reads", async () => {
  const connection = new MemoryConnection();
  const clock = new ManualClock();
  const options = { clock, budget: new BufferBudget(1_000), idleMs: 30_000 };
  const socket = new ServerSocket(connection, new Uint8Array(0), options);
  connection.blockWrites();
  clock.advance(1_000_000); // What is sent late has its whole time.
  const sent = socket.send(binary, new Uint8Array(10));
  clock.advance(29_999);
  assert.equal(connection.closed, false);
  clock.advance(15_000);
  assert.equal(connection.closed, true);
  await Promise.all([sent, socket.closed]);
});

Deno.test("a silent client is pinged, and ended when it stays silent; one that is not read is not", async () => {
  const silent = opened();
  for (let s = 0; s < 3; s++) {
    silent.clock.advance(15_000);
    await eventLoopTurn();
  }
  assert.deepEqual(silent.sent().map(({ opcode }) => opcode), [ping]);
  await silent.over;
  assert.equal(silent.connection.closed, true);
  const alive = opened();
  for (let s = 0; s < 20; s++) {
    alive.clock.advance(15_000);
    await alive.say({ opcode: pong });
  }
  assert.equal(alive.connection.closed, false);
  const room = new ByteRoom(100);
  await room.take(100);
  const unread = opened({ room });
  await unread.say({ opcode: text, payload: "x", final: false });
  for (let s = 0; s < 20; s++) unread.clock.advance(15_000);
  assert.equal(unread.connection.closed, false);
});

Deno.test("closing from here sends what was sent before, waits for the client, not for long", async () => {
  const it = opened();
  it.socket.send(text, new TextEncoder().encode("last"));
  it.socket.close(1001, "gone");
  it.socket.send(text, new TextEncoder().encode("too late"));
  await eventLoopTurn();
  const frames = it.sent();
  assert.deepEqual(frames.map(({ opcode }) => opcode), [text, close]);
  assert.equal(closeCodeIn(frames), 1001);
  await it.say({ opcode: text, payload: "not heard" }, { opcode: close });
  assert.deepEqual([it.heard, it.connection.halfClosed, it.connection.closed], [[], true, false]);
  it.clock.advance(2_000);
  await it.socket.closed;
  assert.equal(it.connection.closed, true);
});

Deno.test("messages survive every way of cutting them into frames and reads", async () => {
  const messages = fc.array(
    fc.record({
      isText: fc.boolean(),
      parts: fc.array(fc.string({ maxLength: 400 }), { minLength: 1, maxLength: 4 }),
      between: fc.constantFrom(undefined, ping, pong),
      mask: fc.array(fc.nat(255), { minLength: 4, maxLength: 4 }),
    }),
    { maxLength: 6 },
  );
  await fc.assert(
    fc.asyncProperty(messages, fc.array(fc.integer({ min: 1, max: 700 })), async (said, cuts) => {
      const it = opened({ bytesMax: 10_000 });
      const frames: ClientFrame[] = said.flatMap(({ isText, parts, between, mask }) =>
        parts.flatMap((payload, i) => [
          {
            opcode: i > 0 ? continuation : isText ? text : binary,
            final: i === parts.length - 1,
            payload,
            mask,
          },
          ...(between === undefined ? [] : [{ opcode: between, payload: "p" }]),
        ])
      );
      const bytes = new Uint8Array(frames.flatMap((frame) => [...clientFrame(frame)]));
      let at = 0;
      for (const cut of cuts) {
        it.connection.feed(bytes.subarray(at, at += cut));
        await eventLoopTurn();
      }
      it.connection.feed(bytes.subarray(at));
      it.connection.end();
      await it.over;
      assert.deepEqual(
        it.heard,
        said.map(({ isText, parts }) => `${isText ? "t" : "b"} ${parts.join("")}`),
      );
      assert.deepEqual([it.room.usedBytes, it.budget.usedBytes], [0, 0]);
    }),
    { numRuns: 200 },
  );
});

Deno.test("whatever comes, the connection ends and nothing is held", async () => {
  const head = fc.tuple(
    fc.constantFrom(0x81, 0x82, 0x01, 0x00, 0x80, 0x88, 0x89, 0x8a, 0xc1),
    fc.constantFrom(0x80, 0x85, 0xfe, 0xff, 0x05),
  ).map((bytes) => new Uint8Array(bytes));
  const piece = fc.oneof(head, fc.uint8Array({ maxLength: 30 }));
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
      const it = opened();
      it.connection.feed(...pieces);
      await eventLoopTurn();
      it.connection.end();
      await it.over;
      it.clock.advance(2_000);
      await it.socket.closed;
      assert.deepEqual([it.room.usedBytes, it.budget.usedBytes, it.clock.pending], [0, 0, 0]);
    }),
    { numRuns: 1_000 },
  );
});
