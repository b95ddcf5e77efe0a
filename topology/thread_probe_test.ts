import assert from "node:assert/strict";
import { ManualClock } from "../runtime/clock.ts";
import { eventLoopTurn } from "../runtime/event_loop_turn.ts";
import { socketClosed } from "./thread_probe.ts";

Deno.test("a thread has ended when its socket is closed, though its file is still there", async () => {
  const directory = await Deno.makeTempDir();
  const path = `${directory}/s.sock`;
  const connect = () => Deno.connect({ transport: "unix", path });
  assert.equal(await socketClosed(connect), true); // There never was one.
  const listener = Deno.listen({ transport: "unix", path });
  const clock = new ManualClock();
  const asked = socketClosed(connect, clock);
  (await listener.accept()).close(); // It was tried once.
  listener.close();
  let ended: boolean | undefined;
  asked.then((answer) => ended = answer);
  while (ended === undefined) {
    await eventLoopTurn();
    // Only the wait between two tries: each try takes the time that it takes.
    if ((clock.nextDueMs ?? Infinity) <= clock.now() + 100) clock.advance(100);
  }
  assert.equal(ended, true);
  await Deno.remove(directory, { recursive: true });
});

Deno.test("a thread goes on when its socket is open for as long as is waited, or cannot be tried", async () => {
  const answers = [
    () => Promise.resolve({ close: () => closed++ }),
    () => Promise.reject(new Deno.errors.WouldBlock("the queue is full")),
  ];
  let closed = 0;
  let tries = 0;
  const clock = new ManualClock();
  const asked = socketClosed(() => answers[tries++ % 2]!(), clock);
  let ended: boolean | undefined;
  asked.then((answer) => ended = answer);
  while (ended === undefined) {
    await eventLoopTurn();
    clock.advance(100);
  }
  assert.deepEqual([ended, tries, closed], [false, 101, 51]);
});

Deno.test("a connection that does not come says that the thread goes on, and is closed when it comes", async () => {
  const { promise, resolve } = Promise.withResolvers<{ close(): void }>();
  let tries = 0;
  let closed = 0;
  const clock = new ManualClock();
  const asked = socketClosed(() => {
    tries++;
    return promise;
  }, clock);
  await eventLoopTurn();
  clock.advance(10_000);
  assert.equal(await asked, false);
  assert.deepEqual([tries, closed, clock.pending], [1, 0, 0]);
  resolve({ close: () => closed++ });
  await eventLoopTurn();
  assert.equal(closed, 1);
});
