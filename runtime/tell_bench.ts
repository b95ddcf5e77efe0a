/**
 * In-process tell and ask, beside nact and xstate in the same run. One iteration is `batch`
 * messages, so messages/s = batch × iterations/s.
 *
 * @module
 */
import { createActor, fromTransition } from "xstate";
import { dispatch, query, spawn as spawnNact, start as startNact, stop as stopNact } from "nact";
import type { ActorRef } from "./actor.ts";
import { ActorSystem } from "./system.ts";

const batch = 100_000;
const askBatch = 10_000;

/** Resolves when `count` more messages have come. */
class Arrivals {
  #left = 0;
  #done: () => void = () => {};

  expect(count: number): Promise<void> {
    this.#left = count;
    return new Promise((resolve) => this.#done = resolve);
  }

  one(): void {
    if (--this.#left === 0) this.#done();
  }
}

type Question = ActorRef<number>;

Deno.bench(`sluice, ${batch} messages`, { group: "tell", baseline: true }, async (b) => {
  const system = new ActorSystem();
  const arrivals = new Arrivals();
  const ref = system.spawn<number>({
    id: "count",
    mailbox: { countMax: batch },
    start: () => ({ receive: () => arrivals.one() }),
  });
  b.start();
  const done = arrivals.expect(batch);
  for (let i = 0; i < batch; i++) ref.tell(i);
  await done;
  b.end();
  await system.stop();
});

Deno.bench(`nact, ${batch} messages`, { group: "tell" }, async (b) => {
  const system = startNact();
  const arrivals = new Arrivals();
  const ref = spawnNact(system, () => arrivals.one());
  b.start();
  const done = arrivals.expect(batch);
  for (let i = 0; i < batch; i++) dispatch(ref, i);
  await done;
  b.end();
  stopNact(system);
});

Deno.bench(`xstate, ${batch} messages`, { group: "tell" }, async (b) => {
  const arrivals = new Arrivals();
  const count = (state: number, _event: { type: "add" }) => {
    arrivals.one();
    return state + 1;
  };
  const actor = createActor(fromTransition(count, 0)).start();
  b.start();
  const done = arrivals.expect(batch);
  for (let i = 0; i < batch; i++) actor.send({ type: "add" });
  await done;
  b.end();
  actor.stop();
});

Deno.bench(`sluice, ${batch} messages between two actors`, { group: "between" }, async (b) => {
  const system = new ActorSystem();
  const arrivals = new Arrivals();
  const answering = (id: string, peer: () => ActorRef<number>) =>
    system.spawn<number>({
      id,
      start: () => ({
        receive(message) {
          arrivals.one();
          if (message > 0) peer().tell(message - 1);
        },
      }),
    });
  const ping: ActorRef<number> = answering("ping", () => pong);
  const pong: ActorRef<number> = answering("pong", () => ping);
  b.start();
  const done = arrivals.expect(batch);
  for (let i = 0; i < 100; i++) ping.tell(batch / 100 - 1);
  await done;
  b.end();
  await system.stop();
});

Deno.bench(
  `sluice, ${askBatch} questions, 100 open`,
  { group: "ask", baseline: true },
  async (b) => {
    const system = new ActorSystem();
    const echo = system.spawn<Question>({
      id: "echo",
      start: () => ({ receive: (replyTo) => void replyTo.tell(1) }),
    });
    const ask = () => system.ask<Question, number>(echo, (replyTo) => replyTo, 1_000);
    b.start();
    for (let i = 0; i < askBatch; i += 100) await Promise.all(Array.from({ length: 100 }, ask));
    b.end();
    await system.stop();
  },
);

Deno.bench(`nact, ${askBatch} questions, 100 open`, { group: "ask" }, async (b) => {
  const system = startNact();
  const echo = spawnNact(system, (_state: unknown, replyTo: Parameters<typeof dispatch>[0]) => {
    dispatch(replyTo, 1);
  });
  const ask = () => query(echo, (replyTo: Parameters<typeof dispatch>[0]) => replyTo, 1_000);
  b.start();
  for (let i = 0; i < askBatch; i += 100) await Promise.all(Array.from({ length: 100 }, ask));
  b.end();
  stopNact(system);
});
