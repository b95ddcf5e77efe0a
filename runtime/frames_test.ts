import assert from "node:assert/strict";
import fc from "fast-check";
import { anyText } from "./testing/any_text.ts";
import type { ActorRef } from "./actor.ts";
import { decodeFrame } from "./frame_decoder.ts";
import { FrameEncoder } from "./frame_encoder.ts";
import { depthMax, frameBytesMax, FrameError, type RefCodec } from "./frames.ts";

function read(frame: Uint8Array, refs?: RefCodec): unknown[] {
  const messages: unknown[] = [];
  decodeFrame(frame, (_target, message) => messages.push(message), refs);
  return messages;
}

function roundTrip(...messages: readonly unknown[]): unknown[] {
  const encoder = new FrameEncoder();
  for (const message of messages) assert.equal(encoder.add(1, message), "added");
  return read(new Uint8Array(encoder.seal()));
}

const text = fc.oneof(
  anyText({ maxLength: 80 }),
  fc.string({ maxLength: 80 }),
  fc.constantFrom("", "__proto__", "constructor", "toString", "\ud800", "\udc00x", "\u0000", "ÿ"),
);
const { value: sendable } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom(null, undefined, true, false, -0, 0, NaN, Infinity, -Infinity),
    fc.integer(),
    fc.double(),
    fc.constantFrom(2 ** 31 - 1, -(2 ** 31), 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER, 0.1),
    text,
    fc.uint8Array({ maxLength: 40 }),
    fc.array(tie("value"), { maxLength: 6 }),
    fc.dictionary(text, tie("value"), { maxKeys: 6, noNullPrototype: true }),
  ),
}));

Deno.test("every message that can be sent comes back equal", () => {
  fc.assert(
    fc.property(fc.array(sendable, { maxLength: 12 }), (messages) => {
      assert.deepEqual(roundTrip(...messages), messages);
    }),
    { numRuns: 500 },
  );
});

Deno.test("targets come back as they were: numbers, also negative, and names", () => {
  const encoder = new FrameEncoder();
  const targets = [1, 0, -5, 2 ** 40, "devices", "__proto__", "devices"];
  for (const target of targets) encoder.add(target, null);
  const seen: unknown[] = [];
  decodeFrame(new Uint8Array(encoder.seal()), (target) => seen.push(target));
  assert.deepEqual(seen, targets);
});

Deno.test("the bytes told to the visitor are those that were admitted", () => {
  fc.assert(fc.property(fc.array(sendable, { maxLength: 12 }), (messages) => {
    const admitted: number[] = [];
    const encoder = new FrameEncoder({
      admission: { take: (bytes) => admitted.push(bytes) > 0 },
    });
    for (const message of messages) encoder.add("x", message);
    const seen: number[] = [];
    decodeFrame(new Uint8Array(encoder.seal()), (_target, _message, bytes) => seen.push(bytes));
    assert.deepEqual(seen, admitted);
  }));
});

Deno.test("names of the prototype are only names", () => {
  const [message] = roundTrip(JSON.parse('{"__proto__":{"polluted":1},"toString":2}'));
  assert.deepEqual(Object.keys(message as object), ["__proto__", "toString"]);
  assert.equal(Object.getPrototypeOf(message), Object.prototype);
  assert.equal("polluted" in {}, false);
});

Deno.test("bytes are a copy, at both ends", () => {
  const sent = new Uint8Array([1, 2, 3]);
  const encoder = new FrameEncoder();
  encoder.add(1, sent);
  sent[0] = 9;
  const frame = new Uint8Array(encoder.seal());
  const [received] = read(frame);
  frame.fill(0);
  assert.deepEqual(received, new Uint8Array([1, 2, 3]));
});

Deno.test("a repeated form costs a number, and each frame stands alone", () => {
  const encoder = new FrameEncoder();
  const message = { kind: "measured", temperature: 1, humidity: 2 };
  encoder.add(1, message);
  const firstBytes = encoder.length;
  encoder.add(1, message);
  assert.ok(encoder.length - firstBytes <= 10);
  const first = encoder.seal();
  encoder.add(1, message);
  assert.deepEqual(read(new Uint8Array(encoder.seal())), [message]);
  assert.deepEqual(read(new Uint8Array(first)), [message, message]);
});

class Foreign {
  readonly x = 1;
}

for (
  const [name, value] of [
    ["a function", () => 1],
    ["a symbol", Symbol("s")],
    ["a bigint", 1n],
    ["a Map", new Map()],
    ["a Date", new Date(0)],
    ["a Foreign", new Foreign()],
  ] as const
) {
  Deno.test(`${name} is refused, and leaves no trace in the frame`, () => {
    const encoder = new FrameEncoder();
    encoder.add(1, { known: "before" });
    assert.throws(() => encoder.add(1, { fresh: "words", deep: [{ value }] }), {
      name: "TypeError",
      message: new RegExp(`^Cannot send ${name} to another Worker`),
    });
    encoder.add(1, { fresh: "words", deep: [{ value: 1 }] });
    assert.deepEqual(read(new Uint8Array(encoder.seal())), [
      { known: "before" },
      { fresh: "words", deep: [{ value: 1 }] },
    ]);
  });
}

Deno.test("a cycle is an error, and so is anything nested too deep", () => {
  const cycle: unknown[] = [];
  cycle.push(cycle);
  assert.throws(() => new FrameEncoder().add(1, cycle), RangeError);
  let deep: unknown = 1;
  for (let i = 0; i < depthMax; i++) deep = [deep];
  assert.deepEqual(roundTrip(deep), [deep]);
  assert.throws(() => new FrameEncoder().add(1, [deep]), RangeError);
});

Deno.test("a frame stays within 64 KiB, unless it is one larger message", () => {
  const encoder = new FrameEncoder({ messageBytesMax: 200_000 });
  const frames: ArrayBuffer[] = [];
  const messages = Array.from({ length: 1_000 }, (_, i) => ({ i, body: "x".repeat(i % 700) }));
  for (const message of messages) {
    if (encoder.add(1, message) === "overflow") {
      frames.push(encoder.seal());
      assert.equal(encoder.add(1, message), "added");
    }
  }
  frames.push(encoder.seal());
  assert.ok(frames.length > 2);
  assert.ok(frames.every((frame) => frame.byteLength <= frameBytesMax));
  assert.deepEqual(frames.flatMap((frame) => read(new Uint8Array(frame))), messages);

  encoder.add(1, "small");
  const large = "y".repeat(150_000);
  assert.equal(encoder.add(1, large), "overflow");
  encoder.seal();
  assert.equal(encoder.add(1, large), "added");
  assert.deepEqual(read(new Uint8Array(encoder.seal())), [large]);
  assert.throws(() => encoder.add(1, "z".repeat(200_001)), RangeError);
  assert.throws(() => encoder.add(1, new Uint8Array(2 ** 30)), RangeError);
});

Deno.test("more strings and shapes than can be numbered still come back", () => {
  const messages = Array.from({ length: 6_000 }, (_, i) => ({ [`k${i}`]: 1 }));
  const encoder = new FrameEncoder();
  const received: unknown[] = [];
  const seal = () => received.push(...read(new Uint8Array(encoder.seal())));
  for (const message of messages) {
    if (encoder.add(1, message) === "overflow") {
      seal();
      encoder.add(1, message);
    }
  }
  seal();
  assert.deepEqual(received, messages);
});

Deno.test("refs travel as addresses; a dropped message takes its refs back", () => {
  const log: string[] = [];
  const near: ActorRef<never> = { path: "near", tell: () => "accepted" };
  const refs: RefCodec = {
    addressOf: (value) =>
      value === near ? { home: "sender", target: 7, path: "near", oneShot: true } : undefined,
    written: (kept) => log.push(kept ? "kept" : "dropped"),
    refAt: ({ home, target, path, oneShot }) => {
      log.push(`${home} ${target} ${path} ${oneShot}`);
      return near;
    },
  };
  let admit = true;
  const encoder = new FrameEncoder({ refs, admission: { take: () => admit } });
  encoder.add(1, { replyTo: near });
  assert.throws(() => encoder.add(1, [near, 1n]), TypeError);
  admit = false;
  assert.equal(encoder.add(1, [near]), "refused");
  assert.equal(encoder.add(1, ["no ref"]), "refused");
  assert.deepEqual(read(new Uint8Array(encoder.seal()), refs), [{ replyTo: near }]);
  assert.deepEqual(log, ["kept", "dropped", "dropped", "sender 7 near true"]);
});

const sample = (() => {
  const encoder = new FrameEncoder();
  encoder.add("devices", { kind: "a", n: 1.5, list: [null, true, "ü", new Uint8Array(3)] });
  encoder.add("devices", { kind: "a", n: -3, list: [undefined, false, "a", {}] });
  return new Uint8Array(encoder.seal());
})();

Deno.test("a frame cut anywhere, or with bytes behind it, is an error", () => {
  for (let length = 0; length < sample.length; length++) {
    assert.throws(() => read(sample.subarray(0, length)), FrameError);
  }
  assert.throws(() => read(new Uint8Array([...sample, 0])), FrameError);
});

Deno.test("damaged bytes give messages or a FrameError, never anything else", () => {
  const damage = fc.array(
    fc.tuple(fc.nat({ max: sample.length - 1 }), fc.nat({ max: 255 })),
    { minLength: 1, maxLength: 4 },
  );
  fc.assert(
    fc.property(damage, (changes) => {
      const bytes = sample.slice();
      for (const [at, byte] of changes) bytes[at] = byte;
      try {
        read(bytes);
      } catch (thrown) {
        assert.ok(thrown instanceof FrameError, String(thrown));
      }
    }),
    { numRuns: 3_000 },
  );
});

Deno.test("a length that lies allocates nothing", () => {
  const lying = (tag: number) =>
    new Uint8Array([...sample.subarray(0, 4), 1, 0, 0, 0, 4, 2, tag, 255, 255, 255, 255, 15]);
  for (const tag of [6, 7, 8, 9, 10, 11, 12]) assert.throws(() => read(lying(tag)), FrameError);
});
