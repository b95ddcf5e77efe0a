import assert from "node:assert/strict";
import type { LaneItem } from "./lane.ts";
import { dropAll, keepForNext } from "./leftovers.ts";
import { Mailbox, mailboxBounds } from "./mailbox.ts";

function filled(): Mailbox {
  const mailbox = new Mailbox(mailboxBounds({ countMax: 10 }));
  const timer = { clear() {} };
  const items: readonly LaneItem[] = [
    { kind: "signal", signal: { kind: "receive_timeout" } },
    { kind: "mail", message: "again", crashes: 1 },
    { kind: "mail", message: "stashed", crashes: 0 },
    { kind: "timer", entry: { key: "t", message: "tick", timer } },
    { kind: "result", value: "value", make: () => assert.fail("made for nobody") },
  ];
  for (const item of items) mailbox.put(item);
  for (const message of ["1", "2"]) mailbox.offer(message);
  return mailbox;
}

/** What is left, by kind and message. */
function contents(mailbox: Mailbox): string[] {
  const all: string[] = [];
  for (let item = mailbox.takeFirst(); item !== undefined; item = mailbox.takeFirst()) {
    all.push(item.kind === "mail" ? String(item.message) : item.kind);
  }
  while (mailbox.count > 0) all.push(String(mailbox.take()));
  return all;
}

Deno.test("when all is dropped, each piece of mail is accounted for, signals and timers are not", () => {
  const mailbox = filled();
  const dropped: unknown[] = [];
  dropAll(mailbox, (message) => dropped.push(message));
  assert.deepEqual(dropped, ["again", "stashed", "value", "1", "2"]);
  assert.deepEqual([mailbox.waiting, mailbox.dropped, mailbox.taken], [false, 2, 0]);
});

Deno.test("the next incarnation gets all mail in its order, and no signal of the last one", () => {
  const mailbox = filled();
  keepForNext(mailbox, "all", () => assert.fail("nothing is dropped"));
  assert.deepEqual(contents(mailbox), ["again", "stashed", "timer", "result", "1", "2"]);
});

Deno.test("or it gets only what is tried again", () => {
  const mailbox = filled();
  const dropped: unknown[] = [];
  keepForNext(mailbox, "redelivered", (message) => dropped.push(message));
  assert.deepEqual([contents(mailbox), dropped], [["again"], ["stashed", "value", "1", "2"]]);
});
