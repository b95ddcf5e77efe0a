import assert from "node:assert/strict";
import { CodeLimit, CodeTimeoutError } from "./code_limit.ts";
import { type CodePoint, type DeviceCode, DeviceCodeRunner } from "./device_code.ts";
import { LastValues, ShapeTable } from "./device_values.ts";
import { LineBuffer } from "./line_buffer.ts";
import { compileRoutes } from "./route_table.ts";
import { readingOf } from "./testing/readings.ts";
import { TopicTable } from "./topic_table.ts";

const route = { name: "own", topic: "own/{id}", measurement: "own", module: "own" };
const topics = new TopicTable(compileRoutes([route]), { gatewayId: "gw", hashSeed: 1 });
const topic = new TextEncoder().encode("own/1");

function runner(limitMs = 60_000) {
  const lines = new LineBuffer();
  const codeRunner = new DeviceCodeRunner(new CodeLimit(limitMs), 4_096);
  const values = new LastValues(new ShapeTable());
  const entry = topics.lookup(topic, 0, topic.length);
  assert.ok(entry.kind === "topic");
  const reading = readingOf(entry, "{}");
  const run = (onReading: DeviceCode["onReading"]) =>
    codeRunner.run({ onReading }, reading, lines, 1, 0, values);
  return { lines, codeRunner, run, values };
}

Deno.test("code that does not return leaves no line and no value", () => {
  const { run, lines, values } = runner(20);
  const spin: DeviceCode["onReading"] = (_, emit) => {
    emit({ fields: { x: 1 } });
    for (;;);
  };
  assert.throws(() => run(spin), CodeTimeoutError);
  assert.deepEqual([lines.length, values.count], [0, 0]);
});

Deno.test("ten thousand points of one reading are written", () => {
  const { run, lines } = runner();
  const points = run((_, emit) => {
    for (let i = 0; i < 10_000; i++) emit({ fields: { x: i }, tags: { n: `${i}` } });
  });
  assert.equal(points, 10_000);
  assert.ok(lines.length > 0);
});

Deno.test("a point of JavaScript's that is none is told what is wrong with it", () => {
  const { run, lines } = runner();
  const told = (point: unknown): string => {
    try {
      // As a module in JavaScript would: nothing checks its types.
      run((_, emit) => Reflect.apply(emit, undefined, [point]));
    } catch (thrown) {
      assert.ok(thrown instanceof TypeError);
      return thrown.message;
    }
    return assert.fail("it was taken");
  };
  for (const none of [undefined, null, 1, "x=1", { celsius: 3 }, { fields: 5 }, { fields: [1] }]) {
    assert.match(told(none), /^Cannot emit a point: it has no fields/);
  }
  assert.match(told({ fields: { x: 1 }, tags: { floor: 3 } }), /: 3, a name or the value of a tag/);
  assert.equal(lines.length, 0);
});

Deno.test("more lines than a reading may have are a crash, and leave none", () => {
  const { run, lines } = runner();
  assert.throws(
    () =>
      run((_, emit) => {
        for (;;) emit({ fields: { x: 1 } });
      }),
    /more than \d+ bytes of points/,
  );
  assert.equal(lines.length, 0);
});

Deno.test("what is emitted after the return is counted, and in no other reading's lines", () => {
  const { run, lines, codeRunner } = runner();
  let late: ((point: CodePoint) => void) | undefined;
  assert.equal(run((_, emit) => void (late = emit)), 0);
  late?.({ fields: { x: 1 } });
  assert.equal(lines.length, 0);
  assert.equal(codeRunner.latePoints, 1);
});

Deno.test("code that returns a promise is told that it may not, and its failure is no one else's", async () => {
  const { run, lines } = runner();
  const code = async (_: unknown, emit: (point: CodePoint) => void) => {
    emit({ fields: { x: 1 } });
    await Promise.resolve();
    throw new Error("later");
  };
  assert.throws(() => run(code), /onReading returned a promise/);
  await new Promise((done) => setTimeout(done, 1));
  assert.equal(lines.length, 0);
});
