import assert from "node:assert/strict";
import { ManualClock } from "../../../runtime/clock.ts";
import { eventLoopTurn } from "../../../runtime/event_loop_turn.ts";
import { messageOf } from "../../../runtime/message_of.ts";
import type { Arrival } from "./arrival.ts";
import type { Connection } from "./link.ts";
import { PreparedAcceptor } from "./prepared_acceptor.ts";

/** A connection that the test prepares, or does not. */
class FakeConnection implements Connection {
  closed = false;
  readonly #prepared = Promise.withResolvers<Arrival>();

  prepared(): Promise<Arrival> {
    return this.#prepared.promise;
  }

  admit(peer: string): void {
    this.#prepared.resolve({ connection: this, peer, transport: "ws" });
  }

  refuse(cause: Error): void {
    this.#prepared.reject(cause);
  }

  close(): void {
    this.closed = true;
    this.refuse(new Error("closed"));
  }

  read(): Promise<null> {
    return Promise.resolve(null);
  }

  write(bytes: Uint8Array): Promise<number> {
    return Promise.resolve(bytes.length);
  }

  closeWrite(): Promise<void> {
    return Promise.resolve();
  }
}

class FakeListener {
  accepts = 0;
  readonly #arrived: (FakeConnection | Error)[] = [];
  #waiting: PromiseWithResolvers<FakeConnection> | undefined;

  arrive(...connections: (FakeConnection | Error)[]): void {
    this.#arrived.push(...connections);
    this.#give();
  }

  accept(): Promise<FakeConnection> {
    this.accepts++;
    const waiting = this.#waiting = Promise.withResolvers<FakeConnection>();
    this.#give();
    return waiting.promise;
  }

  close(): void {
    this.#waiting?.reject(new Error("closed"));
  }

  #give(): void {
    const next = this.#waiting === undefined ? undefined : this.#arrived.shift();
    if (next === undefined) return;
    if (next instanceof Error) this.#waiting?.reject(next);
    else this.#waiting?.resolve(next);
    this.#waiting = undefined;
  }
}

function prepare(countMax = 10) {
  const listener = new FakeListener();
  const clock = new ManualClock();
  const refusals: string[] = [];
  const dropped: string[] = [];
  const acceptor = new PreparedAcceptor<FakeConnection>({
    listener,
    prepare: (connection) => connection.prepared(),
    countMax,
    deadlineMs: 1_000,
    clock,
    dropped: ({ peer }) => dropped.push(peer),
    refused: (cause) => refusals.push(messageOf(cause)),
  });
  return { listener, clock, refusals, dropped, acceptor };
}

Deno.test("one that is silent keeps nobody waiting, and is closed at its deadline", async () => {
  const { listener, clock, refusals, acceptor } = prepare();
  const [silent, prompt, late] = [new FakeConnection(), new FakeConnection(), new FakeConnection()];
  const first = acceptor.accept();
  listener.arrive(silent, prompt);
  await eventLoopTurn();
  prompt.admit("prompt");
  assert.equal((await first).peer, "prompt");
  clock.advance(999);
  await eventLoopTurn();
  assert.equal(silent.closed, false);
  clock.advance(1);
  await eventLoopTurn();
  assert.equal(silent.closed, true);
  assert.deepEqual(refusals, ["it took too long"]);
  assert.equal(prompt.closed, false);
  const second = acceptor.accept();
  listener.arrive(late);
  await eventLoopTurn();
  late.admit("late");
  assert.equal((await second).peer, "late");
  acceptor.close();
  await eventLoopTurn();
  assert.equal(clock.pending, 0);
});

Deno.test("one that is not let in is closed and told of; others come in order", async () => {
  const { listener, refusals, acceptor } = prepare();
  const [bad, one, two] = [new FakeConnection(), new FakeConnection(), new FakeConnection()];
  const first = acceptor.accept();
  listener.arrive(bad, one, two);
  await eventLoopTurn();
  bad.refuse(new Error("no certificate"));
  one.admit("one");
  two.admit("two");
  assert.equal((await first).peer, "one");
  assert.equal((await acceptor.accept()).peer, "two");
  assert.equal(bad.closed, true);
  assert.deepEqual(refusals, ["no certificate"]);
  acceptor.close();
});

Deno.test("no more are in preparation than may be: the oldest makes room", async () => {
  const { listener, refusals, acceptor } = prepare(2);
  const connections = [new FakeConnection(), new FakeConnection(), new FakeConnection()];
  const first = acceptor.accept();
  listener.arrive(...connections);
  await eventLoopTurn();
  assert.deepEqual(connections.map(({ closed }) => closed), [true, false, false]);
  assert.deepEqual(refusals, ["others wanted its place"]);
  connections[2]?.admit("third");
  assert.equal((await first).peer, "third");
  connections[1]?.admit("second");
  assert.equal((await acceptor.accept()).peer, "second");
  acceptor.close();
});

Deno.test("a failure to accept is told to whoever waits, and accepting goes on", async () => {
  const { listener, acceptor } = prepare();
  const first = acceptor.accept();
  listener.arrive(new Error("no descriptors"));
  await assert.rejects(first, /no descriptors/);
  const connection = new FakeConnection();
  const second = acceptor.accept();
  listener.arrive(connection);
  await eventLoopTurn();
  connection.admit("next");
  assert.equal((await second).peer, "next");
  acceptor.close();
});

Deno.test("closing closes what is under way and what was ready, and refuses nobody", async () => {
  const { listener, clock, refusals, dropped, acceptor } = prepare();
  const [taken, ready, open] = [new FakeConnection(), new FakeConnection(), new FakeConnection()];
  const first = acceptor.accept();
  listener.arrive(taken, ready, open);
  await eventLoopTurn();
  taken.admit("taken");
  await first;
  ready.admit("ready");
  await eventLoopTurn();
  acceptor.close();
  acceptor.close();
  await eventLoopTurn();
  assert.deepEqual([taken.closed, ready.closed, open.closed], [false, true, true]);
  assert.deepEqual(dropped, ["ready"]);
  assert.deepEqual(refusals, []);
  assert.equal(clock.pending, 0);
});
