import assert from "node:assert/strict";
import { type DeadLetter, DeadLetters } from "./dead_letters.ts";

const letter: DeadLetter = { message: 1, target: "a/b", kind: "b", reason: "stopped" };

Deno.test("letters are counted by reason, and those a listener took", () => {
  const letters = new DeadLetters();
  letters.publish(letter);
  const end = letters.subscribe(({ message }) => message === 2);
  letters.publish({ ...letter, message: 2, reason: "crashed" });
  letters.publish({ ...letter, message: 3, reason: "crashed" });
  end();
  letters.publish({ ...letter, message: 2 });
  assert.deepEqual([...letters.byReason], [["stopped", 2], ["crashed", 2]]);
  assert.equal(letters.taken, 1);
});

Deno.test("a listener that throws is counted and does not keep the letter from the next", () => {
  const letters = new DeadLetters();
  const seen: unknown[] = [];
  letters.subscribe(() => {
    throw new Error("listener");
  });
  letters.subscribe(({ message }) => {
    seen.push(message);
  });
  letters.publish(letter);
  assert.deepEqual([seen, letters.listenerFailures, letters.taken], [[1], 1, 0]);
});
