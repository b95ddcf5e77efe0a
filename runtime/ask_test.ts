import assert from "node:assert/strict";
import type { ActorRef } from "./actor.ts";
import { askWith } from "./ask.ts";
import { ManualClock } from "./clock.ts";
import { DeadLetters } from "./dead_letters.ts";
import { Deadlines } from "./deadlines.ts";

function ask(to: ActorRef<ActorRef<string>>) {
  const clock = new ManualClock();
  const deadLetters = new DeadLetters();
  const answers: string[] = [];
  askWith<ActorRef<string>, string>(
    { deadlines: new Deadlines(clock), deadLetters },
    to,
    (replyTo) => replyTo,
    100,
    (reply) => answers.push(reply),
    (cause) => answers.push(cause.reason),
  );
  return { clock, deadLetters, answers };
}

Deno.test("an answer within tell counts, a second one is a dead letter", () => {
  const { clock, deadLetters, answers } = ask({
    path: "double",
    tell(replyTo) {
      assert.equal(replyTo.tell("once"), "accepted");
      assert.equal(replyTo.tell("twice"), "stopped");
      return "accepted";
    },
  });
  clock.advance(1_000);
  assert.deepEqual([answers, deadLetters.byReason.get("late_reply")], [["once"], 1]);
});

Deno.test("the deadline counts from the question", () => {
  const { clock, answers } = ask({ path: "silent", tell: () => "accepted" });
  clock.advance(99);
  assert.deepEqual(answers, []);
  clock.advance(1);
  assert.deepEqual(answers, ["timeout"]);
});

Deno.test("a question that was not taken fails at once, and once", () => {
  for (const answer of ["full", "stopped"] as const) {
    const { clock, answers } = ask({ path: "busy", tell: () => answer });
    clock.advance(1_000);
    assert.deepEqual(answers, [answer]);
  }
});
