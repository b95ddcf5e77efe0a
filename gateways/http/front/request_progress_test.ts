import assert from "node:assert/strict";
import { ManualClock } from "../../../runtime/clock.ts";
import { headBytesMax, RequestProgress } from "./request_progress.ts";

const utf8 = new TextEncoder();
const head = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";

function connection() {
  const clock = new ManualClock();
  const progress = new RequestProgress(clock, { headTimeoutMs: 5_000, idleTimeoutMs: 60_000 });
  return {
    progress,
    pass: (ms: number) => clock.advance(ms),
    hears: (text: string) => progress.heard(utf8.encode(text)),
    /** What it is late for after so many ms, and not a ms earlier. */
    lateAfter: (ms: number) => {
      clock.advance(ms - 1);
      assert.equal(progress.isLate(clock.monotonic()), false);
      clock.advance(1);
      assert.equal(progress.isLate(clock.monotonic()), true);
      return progress.lateness;
    },
  };
}

Deno.test("a client that says nothing is silent; one that has begun has the rest of its time", () => {
  assert.equal(connection().lateAfter(5_000), "silent");
  const slow = connection();
  slow.pass(2_000);
  slow.hears("GET / HT");
  slow.pass(2_000);
  slow.hears("TP/1.1\r\n");
  assert.equal(slow.lateAfter(1_000), "slow_head");
});

Deno.test("a large head is read no further, and has a second to end", () => {
  const { progress, hears, lateAfter } = connection();
  hears("x".repeat(headBytesMax - 1));
  assert.equal(progress.isHeadFull, false);
  hears("x");
  assert.equal(progress.isHeadFull, true);
  assert.equal(lateAfter(1_000), "large_head");
  progress.began();
  assert.equal(progress.isHeadFull, false);
});

Deno.test("while a request is under way nobody is late, afterwards the connection may idle", () => {
  const { progress, pass, hears, lateAfter } = connection();
  hears(head);
  progress.began();
  assert.equal(progress.isIdle, false);
  assert.equal(progress.isLate(Number.MAX_SAFE_INTEGER), false);
  hears("x".repeat(2 * headBytesMax)); // A body is no head.
  progress.completed();
  pass(1_000);
  progress.answered();
  assert.equal(progress.isHeadFull, false);
  assert.equal(lateAfter(60_000), "idle");
});

Deno.test("the next head has its time from its first byte, and no more than idling leaves", () => {
  const soon = connection();
  soon.hears(head);
  soon.progress.began();
  soon.progress.completed();
  soon.pass(10_000);
  soon.hears("G");
  soon.progress.answered(); // Of the answer before; the head's time runs all the same.
  assert.equal(soon.lateAfter(5_000), "slow_head");
  const late = connection();
  late.hears(head);
  late.progress.began();
  late.progress.completed();
  late.pass(58_000);
  late.hears("G");
  assert.equal(late.lateAfter(2_000), "slow_head");
});

Deno.test("of requests that come at once the last one to be answered counts", () => {
  const { progress, hears } = connection();
  hears(head + head);
  progress.began();
  progress.began();
  progress.completed();
  assert.equal(progress.isIdle, false);
  assert.equal(progress.isLate(Number.MAX_SAFE_INTEGER), false);
  progress.completed();
  assert.equal(progress.isIdle, true);
});

Deno.test("a client that waits for its answer has sent nothing behind the head", () => {
  for (const pieces of [[head], [...head], [head.slice(0, -1), "\n"]]) {
    const { progress, hears } = connection();
    for (const piece of pieces) hears(piece);
    assert.equal(progress.isWaitedFor, false);
    progress.began();
    assert.equal(progress.isWaitedFor, true);
    hears("x");
    assert.equal(progress.isWaitedFor, false);
  }
});

Deno.test("behind the last answer everything is the rest of a body, and going has two seconds", () => {
  const { progress, hears, lateAfter } = connection();
  hears(head);
  progress.began();
  progress.lastAnswer();
  assert.equal(progress.isRest, false);
  progress.completed();
  assert.equal(progress.isRest, true);
  assert.equal(lateAfter(2_000), undefined);
});

Deno.test("who was told that nothing more comes has two seconds, whatever is completed then", () => {
  const { progress, hears, lateAfter } = connection();
  hears(head);
  progress.began();
  progress.leave();
  progress.completed();
  assert.equal(lateAfter(2_000), undefined);
});

Deno.test("HTTP/2 is known by its first bytes, however they are split, and at no other place", () => {
  const whole = connection();
  assert.equal(whole.hears("PRI * HTTP/2.0"), "http2");
  const split = connection();
  assert.deepEqual([..."PRI"].map(split.hears), ["http1", "http1", "http2"]);
  const other = connection();
  assert.deepEqual(["GET ", "PRI"].map(other.hears), ["http1", "http1"]);
});
