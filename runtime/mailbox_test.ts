import assert from "node:assert/strict";
import fc from "fast-check";
import { Mailbox, mailboxBounds } from "./mailbox.ts";

Deno.test("a mailbox answers full at its count", () => {
  const mailbox = new Mailbox(mailboxBounds({ countMax: 2 }));
  assert.deepEqual([1, 2, 3].map((m) => mailbox.offer(m)), ["accepted", "high", "full"]);
  assert.equal(mailbox.take(), 1);
  assert.equal(mailbox.offer(3), "accepted");
  assert.deepEqual([mailbox.take(), mailbox.take(), mailbox.count], [2, 3, 0]);
});

Deno.test("a mailbox answers full at its bytes, and to a message that can never fit", () => {
  const sizeOf = (message: string) => message.length;
  const mailbox = new Mailbox(mailboxBounds({ countMax: 100, bytesMax: 10, sizeOf }));
  assert.equal(mailbox.offer("x".repeat(11)), "full");
  assert.equal(mailbox.offer("x".repeat(7)), "accepted");
  assert.equal(mailbox.offer("x".repeat(4)), "full");
  assert.equal(mailbox.offer("x".repeat(3)), "high");
  assert.equal(mailbox.bytes, 10);
  mailbox.take();
  assert.equal(mailbox.bytes, 3);
});

Deno.test("a size that is not a number or is negative is refused", () => {
  for (const size of [NaN, -1, Infinity]) {
    const bounds = mailboxBounds({ countMax: 9, bytesMax: 10, sizeOf: () => size });
    assert.equal(new Mailbox(bounds).offer("any"), "full", String(size));
  }
});

Deno.test("a message that grows while it waits does not skew the bytes", () => {
  const sizeOf = (message: { size: number }) => message.size;
  const mailbox = new Mailbox(mailboxBounds({ countMax: 9, bytesMax: 100, sizeOf }));
  const first = { size: 10 };
  mailbox.offer(first);
  mailbox.offer({ size: 5 });
  first.size = 90;
  mailbox.take();
  assert.equal(mailbox.bytes, 5);
});

Deno.test("the watermarks answer once each, with room between them", () => {
  const bounds = mailboxBounds({ countMax: 10, highWatermark: 0.8, lowWatermark: 0.5 });
  const mailbox = new Mailbox(bounds);
  const answers = Array.from({ length: 10 }, (_, i) => mailbox.offer(i));
  assert.deepEqual(answers.map((answer, i) => answer === "high" ? i : -1).filter((i) => i >= 0), [
    7,
  ]);
  const relievedAt: number[] = [];
  for (let i = 0; i < 10; i++) {
    if (mailbox.relieved()) relievedAt.push(mailbox.count);
    mailbox.take();
  }
  assert.deepEqual(relievedAt, [5]);
});

const badLimits: readonly [string, Parameters<typeof mailboxBounds>[0]][] = [
  ["countMax", { countMax: 0 }],
  ["countMax", { countMax: 1.5 }],
  ["countMax", { countMax: NaN }],
  ["bytesMax", { countMax: 1, bytesMax: 0, sizeOf: () => 1 }],
  ["needs sizeOf", { countMax: 1, bytesMax: 5 }],
  ["watermarks", { countMax: 1, highWatermark: 1.1 }],
  ["watermarks", { countMax: 1, highWatermark: 0.3 }],
  ["watermarks", { countMax: 1, lowWatermark: 0 }],
];
for (const [named, limits] of badLimits) {
  Deno.test(`limits ${JSON.stringify(limits)} are refused`, () => {
    assert.throws(() => mailboxBounds(limits), (e) => {
      return e instanceof RangeError && e.message.includes(named);
    });
  });
}

/** The plainest thing that could be right. */
class Model {
  readonly queued: number[] = [];
  taken = 0;
  dropped = 0;
  accepted = 0;
  high = false;
}

Deno.test("property: a mailbox is the plain queue it claims to be, and accepted = taken + dropped + queued", () => {
  const command = fc.oneof(
    { weight: 5, arbitrary: fc.record({ do: fc.constant("offer"), size: fc.nat(12) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("take"), size: fc.constant(0) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("drop"), size: fc.constant(0) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("relieved"), size: fc.constant(0) }) },
  );
  const limits = fc.record({
    countMax: fc.integer({ min: 1, max: 40 }),
    bytesMax: fc.option(fc.integer({ min: 1, max: 90 })),
  });
  fc.assert(
    fc.property(
      limits,
      fc.array(command, { maxLength: 200 }),
      ({ countMax, bytesMax }, commands) => {
        const sizeOf = (size: number) => size;
        const mailbox = new Mailbox(
          mailboxBounds<number>(bytesMax === null ? { countMax } : { countMax, bytesMax, sizeOf }),
        );
        const model = new Model();
        const bytes = () =>
          bytesMax === null ? 0 : model.queued.reduce((sum, size) => sum + size, 0);
        for (const { do: verb, size } of commands) {
          if (verb === "offer") {
            const fits = model.queued.length < countMax &&
              (bytesMax === null || bytes() + size <= bytesMax);
            if (fits) {
              model.queued.push(size);
              model.accepted++;
            }
            const rises = fits && !model.high &&
              (model.queued.length >= Math.max(1, Math.ceil(countMax * 0.8)) ||
                (bytesMax !== null && bytes() >= bytesMax * 0.8));
            if (rises) model.high = true;
            assert.equal(mailbox.offer(size), rises ? "high" : fits ? "accepted" : "full");
          } else if (verb === "relieved") {
            const falls = model.high && model.queued.length <= Math.floor(countMax * 0.5) &&
              (bytesMax === null || bytes() <= bytesMax * 0.5);
            if (falls) model.high = false;
            assert.equal(mailbox.relieved(), falls);
          } else if (model.queued.length > 0) {
            if (verb === "take") model.taken++;
            else model.dropped++;
            assert.equal(verb === "take" ? mailbox.take() : mailbox.drop(), model.queued.shift());
          }
          assert.deepEqual(
            [mailbox.accepted, mailbox.taken, mailbox.dropped, mailbox.count, mailbox.bytes],
            [model.accepted, model.taken, model.dropped, model.queued.length, bytes()],
          );
          assert.equal(model.accepted, model.taken + model.dropped + model.queued.length);
        }
      },
    ),
    { numRuns: 500, seed: 1 },
  );
});
