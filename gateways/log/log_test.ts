import assert from "node:assert/strict";
import fc from "fast-check";
import { anyText } from "../../runtime/testing/any_text.ts";
import { ManualClock } from "../../runtime/clock.ts";
import { dataFlowLines } from "./data_flow.ts";
import { oneLine } from "./escape.ts";
import { jsonLine, type LogEntry, textLine } from "./format.ts";
import { logger, type LogOptions, startLog } from "./log.ts";
import { RepeatLimiter } from "./repeats.ts";

const entry = (fields: Record<string, unknown>, message = "stored"): LogEntry => ({
  atMs: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
  level: "info",
  logger: "writer",
  message,
  fields,
});

/** The lines that a body writes. */
function logged(options: Partial<LogOptions>, body: () => void): string[] {
  const lines: string[] = [];
  const log = startLog({
    level: "info",
    format: "text",
    clock: new ManualClock(),
    write: (line) => lines.push(line),
    ...options,
  });
  body();
  log.close();
  return lines;
}

const fieldCases: readonly (readonly [Record<string, unknown>, string])[] = [
  [{}, ""],
  [{ n: 1, s: "word", flag: true }, "  n=1 s=word flag=true"],
  [{ s: "two words" }, '  s="two words"'],
  [{ s: 'a"b=c' }, '  s="a\\"b=c"'],
  [{ s: "" }, '  s=""'],
  [{ s: "a\nb" }, '  s="a\\nb"'],
  [{ big: 12n, not: NaN, gone: undefined, no: null }, "  big=12 not=NaN no=null"],
  [{ o: { a: [1] } }, '  o={"a":[1]}'],
  [
    { e: new TypeError("bad", { cause: new Error("worse") }) },
    '  e="TypeError: bad; because of Error: worse"',
  ],
];

for (const [fields, expected] of fieldCases) {
  Deno.test(`text fields:${expected}`, () => {
    assert.equal(
      textLine(entry(fields)),
      `2026-01-02T03:04:05.006Z INFO    writer: stored${expected}\n`,
    );
  });
}

Deno.test("a field cannot take the place of the entry's own keys in JSON", () => {
  assert.deepEqual(JSON.parse(jsonLine(entry({ level: "error", n: 1, at: 2n }))), {
    time: "2026-01-02T03:04:05.006Z",
    level: "info",
    logger: "writer",
    message: "stored",
    level_: "error",
    n: 1,
    at: "2",
  });
});

Deno.test("whatever the fields hold, an entry is one line", () => {
  const fields = fc.dictionary(anyText(), fc.anything({ withBigInt: true }));
  fc.assert(fc.property(fields, anyText(), (values, message) => {
    for (const line of [textLine(entry(values, message)), jsonLine(entry(values, message))]) {
      assert.equal(line.indexOf("\n"), line.length - 1);
      assert.doesNotMatch(
        line.slice(0, -1),
        /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u,
      );
    }
  }));
});

Deno.test("what is escaped in JSON is read as it was", () => {
  const text = 'a\u2028b\u009b2J\u202e\\u2028\n"';
  assert.equal(JSON.parse(jsonLine(entry({ text }))).text, text);
});

Deno.test("what cannot be shown does not throw", () => {
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  assert.match(textLine(entry({ circle })), /circle="\(cannot be shown: TypeError: /);
  assert.ok(textLine(entry({ long: "x".repeat(100_000) })).length < 5_000);
});

Deno.test("escaping leaves no control, separator or override, and keeps texts apart", () => {
  fc.assert(fc.property(anyText(), anyText(), (a, b) => {
    assert.doesNotMatch(oneLine(a), /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u);
    assert.equal(oneLine(a) === oneLine(b), a === b);
  }));
});

Deno.test("a logger writes at its level and above, with the thread's own fields", () => {
  const lines = logged({ level: "warning", fields: { shard: 1 } }, () => {
    logger("spool").info("too low");
    logger("spool").warn("{braces} stay", { braces: "x" });
  });
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? "", / WARNING spool: \{braces\} stay {2}shard=1 braces=x\n$/);
});

Deno.test("JSON is chosen by option", () => {
  const [line] = logged({ format: "json" }, () => logger("http").error("failed"));
  assert.deepEqual(Object.keys(JSON.parse(line ?? "")), ["time", "level", "logger", "message"]);
});

Deno.test("repeats are held back, counted and told at the end of the period", () => {
  const clock = new ManualClock();
  const written: LogEntry[] = [];
  const limiter = new RepeatLimiter(clock, (e) => written.push(e));
  for (let i = 0; i < 100; i++) limiter.take(entry({ i }));
  limiter.take(entry({}, "another"));
  assert.equal(written.length, 6);
  clock.advance(10_000);
  assert.deepEqual(written[6]?.fields, { heldBack: 95, forMs: 10_000 });
  limiter.take(entry({ i: 100 }));
  assert.deepEqual(written[7]?.fields, { i: 100 });
  limiter.flush();
  assert.equal(written.length, 8);
  assert.equal(clock.pending, 0);
});

Deno.test("a line that cannot be written fails neither who logs nor the timer of repeats", () => {
  const clock = new ManualClock();
  const written: string[] = [];
  let full = true;
  const log = startLog({
    level: "info",
    format: "json",
    fields: { shard: 1 },
    clock,
    write: (line) => {
      if (full) throw new Error("no space left on device");
      written.push(line);
    },
  });
  for (let i = 0; i < 6; i++) logger("spool").warn("again");
  clock.advance(10_000); // Now the limiter writes of its own accord.
  assert.deepEqual(written, []);
  full = false;
  logger("spool").warn("room");
  log.close();
  assert.deepEqual(written.map((line) => JSON.parse(line)).map((one) => [one.message, one.lost]), [
    ["lines could not be written here", 6],
    ["room", undefined],
  ]);
  assert.deepEqual(JSON.parse(written[0]!).shard, 1);
});

Deno.test("rare repeats pass", () => {
  const clock = new ManualClock();
  const written: unknown[] = [];
  const limiter = new RepeatLimiter(clock, (e) => written.push(e.fields.i));
  for (let i = 0; i < 50; i++) {
    limiter.take(entry({ i }));
    clock.advance(2_500);
  }
  assert.deepEqual(written, Array.from({ length: 50 }, (_, i) => i));
});

Deno.test("the account of kinds is bounded", () => {
  let written = 0;
  const limits = { perPeriod: 1, periodMs: 10, kindsMax: 3 };
  const limiter = new RepeatLimiter(new ManualClock(), () => written++, limits);
  for (let i = 0; i < 10; i++) limiter.take(entry({}, `kind ${i}`));
  for (let i = 0; i < 10; i++) limiter.take(entry({}, `kind ${i}`));
  assert.equal(written, 10 + 7);
});

Deno.test("a message without a timestamp of its own counts as now", () => {
  const lines = dataFlowLines(Date.UTC(2019, 10, 27, 18, 38, 17), { topic: "a/b", points: [] });
  assert.equal(
    lines,
    "2019-11-27 18:38:17 Received a message by topic [a/b]\n" +
      "2019-11-27 18:38:17 Data timestamp is NOW\n",
  );
});

Deno.test("no topic, name or timestamp can forge a line", () => {
  const forged = "x]\n2019-11-27 18:38:14 UPB.RPi_1.BAT 0";
  const lines = dataFlowLines(0, {
    topic: forged,
    timestamp: forged,
    points: [[forged, forged], ["a", "1"]],
  });
  assert.equal(lines.split("\n").length, 5);
});
