import assert from "node:assert/strict";
import { ManualClock } from "../../runtime/clock.ts";
import { boundedBody, byteBudget } from "./body.ts";
import { Problem } from "./problem.ts";

const url = "http://127.0.0.1/";
const post = (body: BodyInit | null) => new Request(url, { method: "POST", body });
const type = (expected: string) => (error: unknown): boolean =>
  error instanceof Problem && error.type === expected;

Deno.test("a body is read whole, and refused a byte over the limit", async () => {
  const clock = new ManualClock();
  const limits = { bytesMax: 10, deadlineMs: 1_000, clock };
  assert.equal((await boundedBody(post("0123456789"), limits)).length, 10);
  assert.equal((await boundedBody(post(null), limits)).length, 0);
  await assert.rejects(boundedBody(post("0123456789a"), limits), type("body-too-large"));
});

Deno.test("a body that stops coming is refused at its deadline, and its room is given back", async () => {
  const clock = new ManualClock();
  const budget = byteBudget(100);
  const slow = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new Uint8Array(60)),
  });
  const reading = boundedBody(post(slow), { bytesMax: 100, deadlineMs: 1_000, clock, budget });
  const refused = assert.rejects(reading, type("body-too-slow"));
  await new Promise<void>((done) => queueMicrotask(done));
  clock.advance(1_000);
  await refused;
  assert.equal(budget.used, 0);
});

Deno.test("all bodies under way share one budget", async () => {
  const clock = new ManualClock();
  const budget = byteBudget(100);
  const limits = { bytesMax: 100, deadlineMs: 1_000, clock, budget };
  const first = await boundedBody(post("x".repeat(60)), limits);
  await assert.rejects(boundedBody(post("x".repeat(60)), limits), type("unavailable"));
  budget.give(first.length);
  assert.equal(budget.used, 0);
  assert.equal((await boundedBody(post("x".repeat(60)), limits)).length, 60);
});
