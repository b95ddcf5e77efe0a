/**
 * Actors of two systems with a link between them: what holds within a Worker holds across.
 */
import assert from "node:assert/strict";
import type { ActorRef, Signal } from "./actor.ts";
import { AskError } from "./ask.ts";
import { DeadLetters } from "./dead_letters.ts";
import { Link } from "./remote_link.ts";
import { PublishedNames } from "./remote_names.ts";
import { isRef } from "./remote_ref.ts";
import { ActorSystem } from "./system.ts";

function twoSystems() {
  const { port1, port2 } = new MessageChannel();
  const names = new PublishedNames();
  const deadLetters = new DeadLetters();
  const near = new Link(port1, { peer: "far", names: new PublishedNames(), deadLetters });
  const far = new Link(port2, { peer: "near", names, deadLetters });
  near.open({});
  far.open({});
  const nearSystem = new ActorSystem({ name: "near" });
  const farSystem = new ActorSystem({ name: "far" });
  const end = async () => {
    near.close("done");
    far.close("done");
    await nearSystem.stop();
    await farSystem.stop();
  };
  return { names, near, far, nearSystem, farSystem, end };
}

type Sum = number | ActorRef<number>;

function parseSum(message: unknown): Sum {
  if (typeof message === "number") return message;
  if (isRef(message)) return message;
  throw new TypeError("Cannot sum it");
}

Deno.test("mail of one sender keeps its order, waits for a small mailbox, and is answered", async () => {
  const { names, near, nearSystem, farSystem, end } = twoSystems();
  const seen: number[] = [];
  const summer = farSystem.spawn<Sum>({
    id: "summer",
    mailbox: { countMax: 3 },
    start: () => ({
      receive(message) {
        if (typeof message === "number") seen.push(message);
        else message.tell(seen.reduce((sum, one) => sum + one, 0));
      },
    }),
  });
  names.publish("summer", summer, parseSum);
  const ref = near.ref<Sum>("summer");
  for (let i = 0; i < 200; i++) assert.equal(ref.tell(i), "accepted");
  const sum = await nearSystem.ask(ref, (replyTo: ActorRef<number>) => replyTo, 5_000);
  assert.equal(sum, 19_900);
  assert.deepEqual(seen, Array.from({ length: 200 }, (_, i) => i));
  await end();
});

Deno.test("a question to a name that nobody has ends at its deadline", async () => {
  const { near, nearSystem, end } = twoSystems();
  await assert.rejects(
    nearSystem.ask(near.ref<ActorRef<number>>("nobody"), (replyTo: ActorRef<number>) => replyTo, 1),
    (thrown) => thrown instanceof AskError && thrown.reason === "timeout",
  );
  await end();
});

Deno.test("an actor hears when one it watches in another Worker has stopped, or is lost", async () => {
  const { names, near, nearSystem, farSystem, end } = twoSystems();
  for (const id of ["first", "second"]) {
    const ref = farSystem.spawn<string>({ id, start: () => ({ receive() {} }) });
    names.publish(id, ref, String);
  }
  const heard: string[] = [];
  const news = { came: () => {} };
  const watching = Promise.withResolvers<void>();
  nearSystem.spawn<never>({
    id: "watcher",
    start: () => ({
      started(context) {
        for (const id of ["first", "second"]) context.watch(near.ref(id));
        watching.resolve();
      },
      receive() {},
      signal(signal: Signal) {
        if (signal.kind === "terminated") heard.push(`${signal.ref.path} ${signal.reason}`);
        news.came();
      },
    }),
  });
  const next = () => new Promise<void>((resolve) => news.came = resolve);
  await watching.promise;
  const stopped = next();
  const first = names.get("first")?.actor;
  assert.ok(first !== undefined);
  farSystem.stopActor(first);
  await stopped;
  const lost = next();
  near.close(new Error("crashed"));
  await lost;
  assert.deepEqual(heard, ["far:first stopped", "far:second lost"]);
  await end();
});
