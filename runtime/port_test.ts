import assert from "node:assert/strict";
import fc from "fast-check";
import { type LaneName, Port, type PortOptions, type PortReceiver } from "./port.ts";
import { channelPair, pump } from "./testing/channel_pair.ts";

/** Takes everything, unless it is told to hold messages. */
class RecordingReceiver implements PortReceiver {
  readonly taken: unknown[] = [];
  readonly held: { lane: LaneName; bytes: number }[] = [];
  readonly credits: LaneName[] = [];
  readonly causes: unknown[] = [];
  holding = false;

  buffer(bytes: Uint8Array): void {
    this.taken.push(bytes.length);
  }

  message(lane: LaneName, _target: unknown, message: unknown, bytes: number): boolean {
    this.taken.push(message);
    if (this.holding) this.held.push({ lane, bytes });
    return !this.holding;
  }

  credit(lane: LaneName): void {
    this.credits.push(lane);
  }

  broken(cause: unknown): void {
    this.causes.push(cause);
  }
}

function connected(options: PortOptions = {}) {
  const { near: nearEnd, far: farEnd } = channelPair();
  const flushes: (() => void)[] = [];
  const schedule = (flush: () => void) => void flushes.push(flush);
  const near = new Port(nearEnd, { schedule, ...options });
  const far = new Port(farEnd, { schedule, ...options });
  const nearReceiver = new RecordingReceiver();
  const farReceiver = new RecordingReceiver();
  near.open(nearReceiver);
  far.open(farReceiver);
  /** Ends turns and delivers until nothing moves. */
  const settle = () => {
    do {
      for (const flush of flushes.splice(0)) flush();
      pump(nearEnd, farEnd);
    } while (flushes.length > 0);
  };
  return { near, far, nearEnd, farEnd, nearReceiver, farReceiver, settle, flushes };
}

Deno.test("what one turn sends leaves in one packet, buffers in order with messages", () => {
  const { near, nearEnd, farReceiver, settle } = connected();
  near.send("data", 1, "a");
  near.send("data", 1, "b");
  const buffer = new ArrayBuffer(5);
  near.transfer(buffer);
  assert.equal(buffer.detached, true);
  assert.throws(() => near.transfer(buffer), TypeError);
  near.send("data", 1, "c");
  settle();
  assert.equal(nearEnd.posted, 1);
  assert.deepEqual(farReceiver.taken, ["a", "b", 5, "c"]);
});

Deno.test("a full frame leaves at once, so that the other side works while the turn goes on", () => {
  const { near, nearEnd, settle, farReceiver } = connected();
  for (let i = 0; i < 100; i++) near.send("data", 1, "x".repeat(2_000));
  assert.equal(nearEnd.posted, 3);
  settle();
  assert.equal(nearEnd.posted, 4);
  assert.equal(farReceiver.taken.length, 100);
});

Deno.test("a full data lane does not hold up the control lane", () => {
  const { near, farReceiver, settle } = connected({
    data: { count: 2, bytes: 1000 },
    messageBytesMax: 100,
  });
  farReceiver.holding = true;
  assert.equal(near.send("data", 1, 1), "accepted");
  assert.equal(near.send("data", 1, 2), "accepted");
  assert.equal(near.send("data", 1, 3), "full");
  const buffer = new ArrayBuffer(1);
  assert.equal(near.transfer(buffer), "full");
  assert.equal(buffer.detached, false);
  settle();
  assert.equal(near.send("data", 1, 3), "full");
  assert.equal(near.send("control", 1, "settled"), "accepted");
  settle();
  assert.deepEqual(farReceiver.taken, [1, 2, "settled"]);
});

Deno.test("the control lane is bounded too", () => {
  const { near, farReceiver } = connected({
    control: { count: 2, bytes: 1000 },
    messageBytesMax: 100,
  });
  farReceiver.holding = true;
  assert.equal(near.send("control", 1, 1), "accepted");
  assert.equal(near.send("control", 1, 2), "accepted");
  assert.equal(near.send("control", 1, 3), "full");
});

Deno.test("credit comes back when messages are released, and the sender hears of it", () => {
  const { near, far, nearReceiver, farReceiver, settle } = connected({
    data: { count: 4, bytes: 1000 },
    messageBytesMax: 100,
  });
  farReceiver.holding = true;
  for (let i = 0; i < 4; i++) near.send("data", 1, i);
  assert.equal(near.send("data", 1, 4), "full");
  settle();
  const [first, second] = farReceiver.held;
  far.release("data", first!.bytes);
  settle();
  assert.deepEqual(nearReceiver.credits, []);
  far.release("data", second!.bytes);
  settle();
  assert.deepEqual(nearReceiver.credits, ["data"]);
  assert.equal(near.send("data", 1, 4), "accepted");
});

Deno.test("what cannot be sent costs no credit", () => {
  const { near } = connected();
  assert.throws(() => near.send("data", 1, () => 1), TypeError);
  assert.throws(() => near.send("data", 1, "x".repeat(2_000_000)), RangeError);
  assert.throws(() => near.transfer(new ArrayBuffer(2_000_000)), RangeError);
  assert.deepEqual(near.underway("data"), { count: 0, bytes: 0 });
});

Deno.test("a closed port answers stopped, and what it had gathered still arrives", () => {
  const { near, far, farReceiver, settle } = connected();
  near.send("data", 1, "last");
  near.close();
  assert.equal(near.send("data", 1, "late"), "stopped");
  assert.equal(near.transfer(new ArrayBuffer(1)), "stopped");
  settle();
  assert.deepEqual(farReceiver.taken, ["last"]);
  far.close();
  assert.throws(() => far.open(farReceiver), /it is open/);
});

const noPacket: readonly [string, unknown][] = [
  ["null", null],
  ["a string", "x"],
  ["an empty array", []],
  ["an odd array", [0, 0, 0, 0, 1]],
  ["credit that is no number", [0, "0", 0, 0]],
  ["credit for what was never sent", [1, 1, 0, 0]],
  ["a kind unknown", [0, 0, 0, 0, 3, new ArrayBuffer(1)]],
  ["a kind that is a name", [0, 0, 0, 0, "length", new ArrayBuffer(1)]],
  ["no buffer", [0, 0, 0, 0, 1, new Uint8Array(1)]],
  ["no frame", [0, 0, 0, 0, 1, new ArrayBuffer(20)]],
  ["a buffer beyond the credit", [0, 0, 0, 0, 0, new ArrayBuffer(2001)]],
];
for (const [name, packet] of noPacket) {
  Deno.test(`the port is shut by a packet that is ${name}`, () => {
    const { near, nearEnd, farEnd, nearReceiver, settle } = connected({
      data: { count: 4, bytes: 2000 },
      messageBytesMax: 100,
    });
    farEnd.postMessage(packet, []);
    settle();
    assert.equal(nearReceiver.causes.length, 1);
    assert.ok(nearReceiver.causes[0] instanceof Error);
    assert.equal(near.send("data", 1, 1), "stopped");
    assert.equal(nearEnd.closed, true);
  });
}

Deno.test("a packet that cannot be cloned, or a receiver that throws, shuts the port", () => {
  const { near, nearEnd, nearReceiver } = connected();
  nearEnd.onmessageerror?.(new MessageEvent("messageerror"));
  assert.equal(nearReceiver.causes.length, 1);
  assert.equal(near.send("data", 1, 1), "stopped");

  const other = connected();
  other.farReceiver.buffer = () => {
    throw new Error("receiver");
  };
  other.near.transfer(new ArrayBuffer(1));
  other.settle();
  assert.match(String(other.farReceiver.causes[0]), /receiver/);
});

type Step =
  | { readonly kind: "send"; readonly lane: LaneName; readonly size: number }
  | { readonly kind: "transfer"; readonly size: number }
  | { readonly kind: "turn" | "deliver" | "hold" | "take" }
  | { readonly kind: "release"; readonly which: number };

const lane = fc.constantFrom<LaneName>("data", "control");
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("send"), lane, size: fc.nat(60) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("transfer"), size: fc.nat(70) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom("turn", "deliver", "hold", "take") }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("release"), which: fc.nat(50) }) },
);

Deno.test("credit is never negative and never lost: what is under way is sent less consumed", () => {
  const window = { count: 7, bytes: 200 };
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
      const { near, far, nearEnd, farEnd, nearReceiver, farReceiver, flushes, settle } = connected({
        data: window,
        control: window,
        messageBytesMax: 80,
      });
      const sent: Record<LaneName, unknown[]> = { data: [], control: [] };
      const refused = new Set<LaneName>();
      let number = 0;
      const sending = (name: LaneName, what: unknown, answer: string) => {
        if (answer === "accepted") {
          assert.equal(refused.has(name), false, "taken though credit was not announced");
          sent[name].push(what);
        } else {
          assert.equal(answer, "full");
          refused.add(name);
        }
      };
      const check = () => {
        for (const name of nearReceiver.credits.splice(0)) refused.delete(name);
        for (const name of ["data", "control"] as const) {
          const { count, bytes } = near.underway(name);
          assert.ok(count >= 0 && count <= window.count, `${count} under way`);
          assert.ok(bytes >= 0 && bytes <= window.bytes, `${bytes} bytes under way`);
        }
      };
      for (const action of steps) {
        if (action.kind === "send") {
          const message = `${number++}`.padEnd(action.size, ".");
          sending(action.lane, message, near.send(action.lane, 1, message));
        } else if (action.kind === "transfer") {
          sending("data", action.size, near.transfer(new ArrayBuffer(action.size)));
        } else if (action.kind === "turn") {
          for (const flush of flushes.splice(0)) flush();
        } else if (action.kind === "deliver") {
          if (!farEnd.deliver()) nearEnd.deliver();
        } else if (action.kind === "release") {
          const [held] = farReceiver.held.splice(action.which % (farReceiver.held.length || 1), 1);
          if (held !== undefined) far.release(held.lane, held.bytes);
        } else farReceiver.holding = action.kind === "hold";
        check();
      }
      farReceiver.holding = false;
      settle();
      for (const { lane, bytes } of farReceiver.held.splice(0)) far.release(lane, bytes);
      settle();
      check();
      assert.deepEqual([...refused], [], "a sender that was refused is told to go on");
      const control = new Set(sent.control);
      assert.deepEqual(farReceiver.taken.filter((what) => control.has(what)), sent.control);
      assert.deepEqual(farReceiver.taken.filter((what) => !control.has(what)), sent.data);
      for (const name of ["data", "control"] as const) {
        const { count, bytes } = near.underway(name);
        assert.ok(count * 4 < window.count && bytes * 4 < window.bytes, "grants are not withheld");
      }
      assert.deepEqual(farReceiver.causes, []);
    }),
    { numRuns: 500 },
  );
});
