import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import type { Intake, Offer, OfferResult, Origin } from "../../../actors/intake.ts";
import { ManualClock } from "../../../runtime/clock.ts";
import { turns } from "../../testing/turns.ts";
import { byteBudget } from "../body.ts";
import { Problem } from "../problem.ts";
import { postReadings, type PostReadingsParts } from "./post_readings.ts";

/** An intake with credit for so many readings; what it took is settled when the test says so. */
class FakeIntake implements Intake {
  credit = Infinity;
  stalled = false;
  readonly taken: { topic: string; payload: string; flags: number; packetId: number }[] = [];
  denied = 0;
  #origin: Origin | undefined;
  #unsettled: number[] = [];

  offer(origin: Origin, offer: Offer): OfferResult {
    if (this.stalled) origin.ownerStalled?.();
    if (this.stalled || this.credit === 0) return "full";
    this.credit--;
    const text = (start: number, end: number) =>
      new TextDecoder().decode(offer.bytes.subarray(start, end));
    const { topicStart, topicEnd, payloadStart, payloadEnd, flags, packetId, sequence } = offer;
    const topic = text(topicStart, topicEnd);
    if (topic === "no/route/at/all") return { outcome: "refused", reason: "no_route" };
    this.taken.push({ topic, payload: text(payloadStart, payloadEnd), flags, packetId });
    this.#origin = origin;
    this.#unsettled.push(sequence);
    return "accepted";
  }

  deny(): void {
    this.denied++;
  }

  flush(): boolean {
    if (this.settles) queueMicrotask(() => this.settle());
    return this.keeps;
  }

  /** Whether messages can be kept for those who are away. */
  keeps = true;

  forget(): void {}

  settles = true;

  settle(): void {
    for (const sequence of this.#unsettled.splice(0)) this.#origin?.settled(sequence, undefined);
    this.#origin?.settledEnd();
  }

  giveCredit(count: number): void {
    this.credit = count;
    this.#origin?.resume();
  }
}

function parts(intake: Intake, clock = new ManualClock()): PostReadingsParts {
  return {
    intake,
    clock,
    stalled: () => false,
    senderOf: () => Promise.resolve({}),
    budget: byteBudget(1 << 20),
    bodyBytesMax: 1 << 16,
    bodyMs: 1_000,
    creditMs: 100,
    settleMs: 1_000,
  };
}

function post(body: BodyInit, headers: Record<string, string> = {}, query = ""): Request {
  return new Request(`http://127.0.0.1/api/readings${query}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body,
  });
}

const refusal = async (promise: Promise<Response>): Promise<Problem> => {
  const error: unknown = await promise.then(() => undefined, (cause: unknown) => cause);
  assert.ok(error instanceof Problem);
  return error;
};

Deno.test("204 comes when all is settled, and not before", async () => {
  const intake = new FakeIntake();
  intake.settles = false;
  let answered = false;
  const answer = postReadings(post('[{"uuid":"a","value":1},{"name":"b","t":2}]'), parts(intake))
    .finally(() => answered = true);
  await turns();
  assert.equal(answered, false);
  intake.settle();
  assert.equal((await answer).status, 204);
  assert.deepEqual(intake.taken.map(({ topic, packetId }) => [topic, packetId]), [
    ["device/a", 0],
    ["$weather/b", 0],
  ]);
});

Deno.test("who has to show a token sends no body that cannot have one", async () => {
  const senderOf = () => Promise.reject(new Problem("unauthorized", "no token"));
  const given = { ...parts(new FakeIntake()), senderOf };
  const type = { "content-type": "text/plain" };
  for (const request of [post("air t=1", type), post('{"BAT":1}', {}, "?topic=a/b")]) {
    assert.equal((await refusal(postReadings(request, given))).type, "unauthorized");
    assert.equal(request.bodyUsed, false, request.url);
  }
  const inside = post('{"name":"a","token":"x"}');
  assert.equal((await refusal(postReadings(inside, given))).type, "unauthorized");
  assert.equal(inside.bodyUsed, true);
});

Deno.test("items that are not taken are named, the others are taken", async () => {
  const intake = new FakeIntake();
  const body = '[{"uuid":"a"},{"x":1},{"topic":"no/route/at/all","payload":{"x":1}}]';
  const { type, members } = await refusal(postReadings(post(body), parts(intake)));
  assert.equal(type, "rejected-items");
  assert.deepEqual([intake.taken.length, intake.denied, members["accepted"]], [1, 1, 1]);
  assert.match(
    JSON.stringify(members["rejected"]),
    /"index":1.*no_topic.*"index":2.*no_route.*no route takes/,
  );
});

Deno.test("what could not be kept for subscribers who are away is not answered with 204", async () => {
  const intake = new FakeIntake();
  intake.keeps = false;
  const { type, headers } = await refusal(postReadings(post('{"uuid":"a"}'), parts(intake)));
  assert.deepEqual([type, headers["retry-after"]], ["not-settled", "1"]);
});

Deno.test("without credit nothing is taken, and the client is told to come again", async () => {
  const intake = new FakeIntake();
  intake.credit = 0;
  const { type, headers } = await refusal(postReadings(post('{"uuid":"a"}'), parts(intake)));
  assert.deepEqual([type, headers["retry-after"]], ["backpressure", "1"]);
});

Deno.test("credit that runs out on the way is waited for, and then the rest is named", async () => {
  const intake = new FakeIntake();
  intake.credit = 2;
  const clock = new ManualClock();
  const body = '[{"uuid":"a"},{"uuid":"b"},{"uuid":"c"},{"uuid":"d"},{"uuid":"e"}]';
  const answer = refusal(postReadings(post(body), parts(intake, clock)));
  await turns();
  intake.giveCredit(1);
  await turns();
  clock.advance(100);
  const { type, members } = await answer;
  assert.deepEqual([type, members["taken"]], ["backpressure", 3]);
});

Deno.test("what does not become durable in time is not said to be", async () => {
  const intake = new FakeIntake();
  intake.settles = false;
  const clock = new ManualClock();
  const answer = refusal(postReadings(post('{"uuid":"a"}'), parts(intake, clock)));
  await turns();
  clock.advance(500); // Looks whether a spool takes nothing; none does.
  await turns();
  clock.advance(500);
  assert.equal((await answer).type, "not-settled");
});

Deno.test("a spool that takes nothing is not waited for, neither before nor behind the offer", async () => {
  const refused = new FakeIntake();
  refused.stalled = true;
  const before = await refusal(postReadings(post('{"uuid":"a"}'), parts(refused)));
  assert.deepEqual([before.type, before.headers["retry-after"]], ["backpressure", "1"]);
  assert.equal(refused.taken.length, 0);

  const taken = new FakeIntake();
  taken.settles = false;
  const clock = new ManualClock();
  const answer = refusal(
    postReadings(post('{"uuid":"a"}'), { ...parts(taken, clock), stalled: () => true }),
  );
  await turns();
  clock.advance(500);
  assert.equal((await answer).type, "not-settled");
});

Deno.test("a request with a key names each item, so that it can be known again", async () => {
  const intake = new FakeIntake();
  const headers = { "idempotency-key": "k" };
  await postReadings(post('[{"uuid":"a"},{"uuid":"a"}]', headers), parts(intake));
  assert.deepEqual(intake.taken.map(({ flags, packetId }) => [flags, packetId]), [[4, 1], [4, 2]]);
  const odd = post("{}", { "idempotency-key": "a b" });
  assert.equal((await refusal(postReadings(odd, parts(intake)))).type, "invalid-header");
});

Deno.test("gzip is unpacked up to the limit, and its room is given back", async () => {
  const intake = new FakeIntake();
  const given = parts(intake);
  const headers = { "content-encoding": "gzip" };
  const body = new Uint8Array(gzipSync('{"uuid":"a"}'));
  assert.equal((await postReadings(post(body, headers), given)).status, 204);
  const bomb = new Uint8Array(gzipSync(new Uint8Array(10 << 20)));
  assert.equal((await refusal(postReadings(post(bomb, headers), given))).type, "body-too-large");
  const none = await refusal(postReadings(post("abc", headers), given));
  assert.equal(none.type, "invalid-body");
  const other = post("abc", { "content-encoding": "br" });
  assert.equal((await refusal(postReadings(other, given))).type, "unsupported-media-type");
  assert.ok(given.budget.take(1 << 20), "room is missing");
});

Deno.test("parameters and types that are not understood are refused", async () => {
  const given = parts(new FakeIntake());
  const cases: readonly (readonly [Request, string])[] = [
    [post("{}", {}, "?topc=a"), "invalid-parameter"],
    [post("{}", {}, "?topic=$line/a"), "invalid-parameter"],
    [post("a b=1", { "content-type": "text/plain" }, "?topic=a/b"), "invalid-parameter"],
    [post("a b=1", { "content-type": "text/plain" }, "?precision=h"), "invalid-parameter"],
    [
      post("a=1", { "content-type": "application/x-www-form-urlencoded" }),
      "unsupported-media-type",
    ],
    [post("", { "content-type": "__proto__" }), "unsupported-media-type"],
    [post("x".repeat((1 << 16) + 1)), "body-too-large"],
  ];
  for (const [request, type] of cases) {
    assert.equal((await refusal(postReadings(request, given))).type, type);
  }
});

Deno.test("an item whose topic the sender may not write is refused, and counted", async () => {
  const intake = new FakeIntake();
  const permits = (topic: string) => topic === "device/a";
  const body = '[{"uuid":"a"},{"uuid":"b"},{"uuid":"a"}]';
  const { members } = await refusal(postReadings(post(body), {
    ...parts(intake),
    senderOf: () => Promise.resolve({ permits }),
  }));
  assert.equal(intake.denied, 1);
  assert.match(JSON.stringify(members["rejected"]), /"index":1.*"not_authorized"/);
});
