import assert from "node:assert/strict";
import fc from "fast-check";
import type { ActorRef, TellResult } from "./actor.ts";
import { ManualClock } from "./clock.ts";
import { DeadLetters } from "./dead_letters.ts";
import { RemoteInbox } from "./remote_inbox.ts";

class Target implements ActorRef<unknown> {
  readonly got: unknown[] = [];
  room = 0;
  stopped = false;

  constructor(readonly path: string) {}

  tell(message: unknown): TellResult {
    if (this.stopped) return "stopped";
    if (this.room === 0) return "full";
    this.room--;
    if (message === -1) throw new Error("cannot parse");
    this.got.push(message);
    return "accepted";
  }
}

function inboxOn(clock: ManualClock) {
  const deadLetters = new DeadLetters();
  const dead: unknown[] = [];
  deadLetters.subscribe(({ message }) => void dead.push(message));
  const tries = { count: 0 };
  let released = 0;
  const inbox = new RemoteInbox({
    clock,
    deadLetters,
    release: (_lane, bytes) => released += bytes,
    later: (run) => {
      tries.count++;
      clock.setTimer(0, run);
    },
  });
  return { inbox, dead, tries, released: () => released };
}

Deno.test("all mail is taken or a dead letter, in order for each actor, and gives its credit once", () => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ mailTo: fc.nat(2), bad: fc.nat(9) }) },
    { weight: 3, arbitrary: fc.record({ roomOf: fc.nat(2), room: fc.nat(3) }) },
    { weight: 2, arbitrary: fc.record({ advance: fc.nat(40) }) },
    { weight: 1, arbitrary: fc.record({ stop: fc.nat(2) }) },
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
    const clock = new ManualClock();
    const { inbox, dead, released } = inboxOn(clock);
    const targets = [new Target("a"), new Target("b"), new Target("c")];
    const sent: unknown[] = [];
    let takenAtOnce = 0;
    for (const action of steps) {
      if ("mailTo" in action) {
        const message = action.bad === 0 ? -1 : sent.length;
        sent.push(message);
        if (inbox.deliver(targets[action.mailTo]!, message, "data", 1)) takenAtOnce++;
      } else if ("roomOf" in action) targets[action.roomOf]!.room = action.room;
      else if ("advance" in action) clock.advance(action.advance);
      else targets[action.stop]!.stopped = true;
      assert.equal(inbox.depth, sent.length - takenAtOnce - released());
    }
    for (const target of targets) target.room = Infinity;
    clock.advance(1_000);
    assert.equal(inbox.depth, 0);
    assert.equal(takenAtOnce + released(), sent.length);
    const numeric = (a: unknown, b: unknown) => Number(a) - Number(b);
    assert.deepEqual(
      [...targets.flatMap(({ got }) => got), ...dead].toSorted(numeric),
      sent.toSorted(numeric),
    );
    for (const { got } of targets) assert.deepEqual(got, got.toSorted(numeric));
    assert.equal(clock.pending, 0);
  }));
});

Deno.test("tries are prompt at first, then seldom, and never stop while mail waits", () => {
  const clock = new ManualClock();
  const { inbox, tries } = inboxOn(clock);
  const target = new Target("a");
  inbox.deliver(target, 1, "data", 1);
  clock.advance(0);
  assert.equal(tries.count, 8);
  clock.advance(10_000);
  assert.equal(tries.count, 8);
  assert.equal(clock.pending, 1);
  target.room = 1;
  clock.advance(32);
  assert.deepEqual(target.got, [1]);
  assert.equal(clock.pending, 0);
});
