import assert from "node:assert/strict";
import type { ActorRef, StopReason, TellResult } from "./actor.ts";
import { AskError } from "./ask.ts";
import { ManualClock } from "./clock.ts";
import { type DeadLetter, DeadLetters } from "./dead_letters.ts";
import { Link, type LinkOptions } from "./remote_link.ts";
import { PublishedNames } from "./remote_names.ts";
import { isRef, RemoteRef } from "./remote_ref.ts";
import { channelPair, pump } from "./testing/channel_pair.ts";
import type { WatchableRef, Watcher } from "./watch.ts";

/** An actor reduced to its address. */
class Mailbox implements WatchableRef {
  readonly identity = this;
  readonly mail: unknown[] = [];
  readonly watchers = new Set<Watcher>();
  answer: TellResult = "accepted";

  constructor(readonly path: string) {}

  tell(message: unknown): TellResult {
    if (this.answer === "accepted") this.mail.push(message);
    return this.answer;
  }

  addWatcher(watcher: Watcher): void {
    this.watchers.add(watcher);
  }

  removeWatcher(watcher: Watcher): void {
    this.watchers.delete(watcher);
  }

  end(reason: StopReason): void {
    for (const watcher of this.watchers) watcher.terminated(this, reason);
    this.watchers.clear();
  }
}

class End {
  readonly names = new PublishedNames();
  readonly deadLetters = new DeadLetters();
  readonly letters: DeadLetter[] = [];
  readonly events: unknown[] = [];

  constructor() {
    this.deadLetters.subscribe((letter) => void this.letters.push(letter));
  }
}

function linked(options: Partial<LinkOptions> = {}) {
  const channels = channelPair();
  const clock = new ManualClock();
  const nearEnd = new End();
  const farEnd = new End();
  const schedule = (flush: () => void) => flush();
  const later = (run: () => void) => void clock.setTimer(0, run);
  const link = (channel: typeof channels.near, peer: string, end: End) => {
    const { names, deadLetters } = end;
    const made = new Link(channel, {
      peer,
      names,
      deadLetters,
      clock,
      schedule,
      later,
      ...options,
    });
    made.open({
      buffer: (bytes) => end.events.push(bytes.length),
      control: (message) => end.events.push(message),
      credit: () => end.events.push("credit"),
      controlCredit: () => end.events.push("control credit"),
      lost: (cause) => end.events.push(cause),
    });
    return made;
  };
  const near = link(channels.near, "far", nearEnd);
  const far = link(channels.far, "near", farEnd);
  return { near, far, nearEnd, farEnd, clock, pump: () => pump(channels.near, channels.far) };
}

const asIs = (message: unknown) => message;

function refIn(message: unknown): ActorRef<unknown> {
  assert.ok(isRef(message));
  return message;
}

Deno.test("a published actor is told as if it were here, and the name is one ref", () => {
  const { near, farEnd, pump } = linked();
  const counter = new Mailbox("far/counter");
  farEnd.names.publish("counter", counter, asIs);
  assert.equal(near.ref("counter"), near.ref("counter"));
  assert.equal(near.ref("counter").path, "far:counter");
  assert.equal(near.ref<number>("counter").tell(1), "accepted");
  near.ref<number>("counter").tell(2);
  pump();
  assert.deepEqual(counter.mail, [1, 2]);
  assert.throws(() => farEnd.names.publish("counter", counter, asIs), /the name is taken/);
  farEnd.names.withdraw("counter");
  near.ref<number>("counter").tell(3);
  pump();
  assert.equal(farEnd.letters[0]?.reason, "stopped");
  assert.equal(farEnd.letters[0]?.message, 3);
});

Deno.test("what the name's owner cannot parse is a dead letter with the reason", () => {
  const { near, farEnd, pump } = linked();
  farEnd.names.publish<number>("counter", new Mailbox("far/counter"), (message) => {
    if (typeof message === "number") return message;
    throw new TypeError("Cannot count it");
  });
  near.ref<unknown>("counter").tell("x");
  pump();
  assert.equal(farEnd.letters[0]?.reason, "crashed");
  assert.equal(farEnd.letters[0]?.failure?.message, "Cannot count it");
  assert.deepEqual(farEnd.events, []);
});

Deno.test("a ref in a message works on the other side, is the same each time, and comes home", () => {
  const { near, far, nearEnd, farEnd, pump } = linked();
  const asker = new Mailbox("near/asker");
  const service = new Mailbox("far/service");
  farEnd.names.publish("service", service, asIs);
  near.ref<unknown>("service").tell([asker, asker]);
  pump();
  const [refs] = service.mail;
  assert.ok(Array.isArray(refs));
  assert.equal(refs[0], refs[1]);
  assert.equal(refIn(refs[0]).path, "near/asker");
  refIn(refs[0]).tell("answer");
  pump();
  assert.deepEqual(asker.mail, ["answer"]);

  refIn(refs[0]).tell(refs[0]);
  pump();
  assert.equal(asker.mail[1], asker, "a ref that comes home is the actor itself");
  far.ref<unknown>("nobody").tell(far.ref("nobody"));
  pump();
  assert.equal(nearEnd.letters.length, 1);
});

Deno.test("a ref of a third Worker is reached through the one it came from", () => {
  const left = linked();
  const right = linked();
  const service = new Mailbox("left/service");
  const gate = new Mailbox("middle/gate");
  left.farEnd.names.publish("service", service, asIs);
  right.farEnd.names.publish("gate", gate, asIs);
  right.near.ref<unknown>("gate").tell(left.near.ref("service"));
  right.pump();
  refIn(gate.mail[0]).tell("through two links");
  right.pump();
  left.pump();
  assert.deepEqual(service.mail, ["through two links"]);
});

Deno.test("mail for a full mailbox waits, keeps its order and its sender's credit", () => {
  const { near, far, nearEnd, farEnd, pump, clock } = linked({
    data: { count: 4, bytes: 1000 },
    messageBytesMax: 100,
  });
  const slow = new Mailbox("far/slow");
  const quick = new Mailbox("far/quick");
  farEnd.names.publish("slow", slow, asIs);
  farEnd.names.publish("quick", quick, asIs);
  slow.answer = "full";
  for (const i of [1, 2, 3]) assert.equal(near.ref<number>("slow").tell(i), "accepted");
  near.ref<string>("quick").tell("not held up");
  pump();
  assert.deepEqual(quick.mail, ["not held up"]);
  assert.equal(far.waiting, 3);
  assert.equal(near.underway.count, 3);
  near.ref<number>("slow").tell(4);
  assert.equal(near.ref<number>("slow").tell(5), "full");
  pump();
  slow.answer = "accepted";
  clock.advance(100);
  pump();
  assert.deepEqual(slow.mail, [1, 2, 3, 4]);
  assert.equal(far.waiting, 0);
  assert.deepEqual(nearEnd.events, ["credit"]);
  assert.equal(near.ref<number>("slow").tell(5), "accepted");
});

Deno.test("mail that waited for an actor that then stopped is a dead letter, and gives credit", () => {
  const { near, farEnd, pump, clock } = linked({
    data: { count: 4, bytes: 1000 },
    messageBytesMax: 100,
  });
  const slow = new Mailbox("far/slow");
  farEnd.names.publish("slow", slow, asIs);
  slow.answer = "full";
  for (const i of [1, 2, 3, 4]) near.ref<number>("slow").tell(i);
  pump();
  slow.answer = "stopped";
  clock.advance(100);
  pump();
  assert.deepEqual(farEnd.letters.map(({ message }) => message), [1, 2, 3, 4]);
  assert.equal(near.underway.count, 0);
});

Deno.test("buffers and control messages reach the other side's handlers", () => {
  const { near, farEnd, pump } = linked();
  near.transfer(new ArrayBuffer(3));
  near.post({ settled: 1 });
  pump();
  assert.deepEqual(farEnd.events, [3, { settled: 1 }]);
});

Deno.test("what nobody handles is a dead letter", () => {
  const channels = channelPair();
  const end = new End();
  const schedule = (flush: () => void) => flush();
  const { names, deadLetters } = end;
  const near = new Link(channels.near, { peer: "far", names, deadLetters, schedule });
  const far = new Link(channels.far, { peer: "near", names, deadLetters, schedule });
  far.open({});
  near.post("x");
  near.transfer(new ArrayBuffer(3));
  pump(channels.far);
  assert.deepEqual(end.letters.map(({ message }) => message), ["x", new Uint8Array(3)]);
});

Deno.test("an answer comes by the control lane, once, and is parsed", async () => {
  const { near, farEnd, pump } = linked({ data: { count: 2, bytes: 1000 }, messageBytesMax: 100 });
  const service = new Mailbox("far/service");
  farEnd.names.publish("service", service, asIs);
  const ask = () =>
    near.ask(near.ref("service"), (replyTo) => replyTo, {
      deadlineMs: 100,
      parse: (reply) => {
        if (typeof reply === "number") return reply;
        throw new TypeError("Cannot use the answer");
      },
    });
  const good = ask();
  const bad = ask();
  pump();
  refIn(service.mail[0]).tell(42);
  refIn(service.mail[0]).tell(43);
  refIn(service.mail[1]).tell("x");
  pump();
  assert.equal(await good, 42);
  await assert.rejects(bad, /Cannot use the answer/);
});

Deno.test("a question without answer ends at its deadline, when it is not taken, or with the link", async () => {
  const { near, farEnd, pump, clock, nearEnd } = linked({
    data: { count: 2, bytes: 1000 },
    messageBytesMax: 100,
  });
  const service = new Mailbox("far/service");
  farEnd.names.publish("service", service, asIs);
  const options = { deadlineMs: 100, parse: asIs };
  const ask = () => near.ask(near.ref("service"), (replyTo) => replyTo, options);
  const failing = (reason: string) => (thrown: unknown) =>
    thrown instanceof AskError && thrown.reason === reason;
  const late = ask();
  const lost = near.ask(near.ref("service"), (replyTo) => replyTo, { ...options, deadlineMs: 999 });
  await assert.rejects(ask(), failing("full"));
  pump();
  clock.advance(100);
  await assert.rejects(late, failing("timeout"));
  refIn(service.mail[0]).tell("too late");
  pump();
  assert.equal(nearEnd.letters.length, 1);
  near.close(new Error("gone"));
  await assert.rejects(lost, failing("stopped"));
  await assert.rejects(ask(), failing("stopped"));
  assert.equal(clock.pending, 0);
});

Deno.test("a question that cannot be sent rejects, and leaves nothing behind", async () => {
  const { near, clock } = linked();
  const options = { deadlineMs: 100, parse: asIs };
  await assert.rejects(near.ask(near.ref("x"), () => () => 1, options), TypeError);
  assert.equal(clock.pending, 0);
});

Deno.test("a watched actor's end is told across, also when it never was", () => {
  const { near, farEnd, pump } = linked();
  const service = new Mailbox("far/service");
  farEnd.names.publish("service", service, (message) => message);
  const gate = new Mailbox("far/gate");
  farEnd.names.publish("gate", gate, asIs);
  const home = new Mailbox("near/home");
  near.ref<unknown>("gate").tell(home);
  pump();
  const far = refIn(gate.mail[0]);
  const ends: unknown[] = [];
  const watcher: Watcher = { terminated: (ref, reason) => ends.push([ref.path, reason]) };
  assert.ok(far instanceof RemoteRef);
  far.addWatcher(watcher);
  pump();
  assert.equal(home.watchers.size, 1);
  far.removeWatcher(watcher);
  pump();
  assert.equal(home.watchers.size, 0);
  far.addWatcher(watcher);
  pump();
  home.end("failed");
  pump();
  const nobody = near.ref("nobody");
  assert.ok(nobody instanceof RemoteRef);
  nobody.addWatcher(watcher);
  pump();
  assert.deepEqual(ends, [["near/home", "failed"], ["far:nobody", "stopped"]]);
});

Deno.test("when the other Worker is lost, watchers hear it, tells answer stopped and are dead letters", () => {
  const { near, far, nearEnd, farEnd, pump } = linked();
  const home = new Mailbox("far/home");
  farEnd.names.publish("home", home, asIs);
  const ref = near.ref<number>("home");
  const ends: StopReason[] = [];
  const watcher: Watcher = { terminated: (_ref, reason) => ends.push(reason) };
  assert.ok(ref instanceof RemoteRef);
  ref.addWatcher(watcher);
  pump();
  assert.equal(home.watchers.size, 1);
  const cause = new Error("shard 1 crashed");
  near.close(cause);
  near.close(cause);
  assert.deepEqual(ends, ["lost"]);
  assert.deepEqual(nearEnd.events, [cause]);
  assert.equal(ref.tell(1), "stopped");
  assert.equal(near.post(1), "stopped");
  assert.deepEqual(nearEnd.letters.map(({ reason, message }) => [reason, message]), [["lost", 1]]);
  ref.addWatcher(watcher);
  assert.deepEqual(ends, ["lost", "lost"]);
  far.close(cause);
  assert.equal(home.watchers.size, 0);
});

Deno.test("a packet that is none, or a handler that throws, ends the link, and says so once", () => {
  const broken: unknown[] = [];
  const channels = channelPair();
  const end = new End();
  const { names, deadLetters } = end;
  const near = new Link(channels.near, {
    peer: "far",
    names,
    deadLetters,
    broken: (cause) => broken.push(cause),
  });
  near.open({ lost: (cause) => end.events.push(cause) });
  channels.far.postMessage("no packet", []);
  channels.far.postMessage("no packet", []);
  pump(channels.near);
  assert.equal(broken.length, 1);
  assert.deepEqual(end.events, broken);
  assert.equal(near.lost, "lost");
});

Deno.test("the actors that the other side may hold are bounded", () => {
  const { near, farEnd } = linked({ exportsMax: 2 });
  farEnd.names.publish("service", new Mailbox("far/service"), asIs);
  const ref = near.ref<unknown>("service");
  const home = new Mailbox("near/1");
  ref.tell(home);
  ref.tell(home);
  ref.tell(new Mailbox("near/2"));
  assert.throws(() => ref.tell(new Mailbox("near/3")), RangeError);
  assert.throws(() => ref.tell([home, () => 1]), TypeError);
  assert.equal(ref.tell(home), "accepted");
});
