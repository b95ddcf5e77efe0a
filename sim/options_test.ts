import assert from "node:assert/strict";
import { CommandError, exitCodes } from "./exit_code.ts";
import { choice, describeOptions, flag, number, parseOptions, text } from "./options.ts";

const table = {
  url: text({ default: "mqtt://x", of: "URL", doc: "where to" }),
  ca: text({ default: undefined, of: "FILE", defaultDoc: "the system's", doc: "authorities" }),
  qos: choice([0, 1, 2], { default: 1, doc: "quality" }),
  drainS: number({ default: 30, min: 0, max: 60, integer: false, of: "S", doc: "wait" }),
  count: number({ default: undefined, min: 1, doc: "messages" }),
  json: flag({ doc: "as JSON" }),
};

Deno.test("options: defaults, both ways to give a value, and camel case as dashes", () => {
  assert.deepEqual(parseOptions(table, []), {
    url: "mqtt://x",
    ca: undefined,
    qos: 1,
    drainS: 30,
    count: undefined,
    json: false,
  });
  assert.deepEqual(
    parseOptions(table, ["--qos", "2", "--drain-s=0.5", "--json", "--ca", "--odd", "--url=a=b"]),
    { url: "a=b", ca: "--odd", qos: 2, drainS: 0.5, count: undefined, json: true },
  );
});

Deno.test("options: what is not allowed is refused with what is", () => {
  const cases: readonly (readonly [args: readonly string[], message: RegExp])[] = [
    [["--quos", "1"], /^unknown flag --quos; see --help$/],
    [["load"], /^unknown flag load/],
    [["--url"], /^--url needs a value: URL$/],
    [["--url="], /^--url must not be empty, not ""$/],
    [["--qos", "3"], /^--qos must be one of 0, 1, 2, not "3"$/],
    [["--drain-s", "61"], /^--drain-s must be a number of at least 0 and at most 60, not "61"$/],
    [["--count", "1.5"], /^--count must be an integer of at least 1, not "1.5"$/],
    [["--count", ""], /^--count must be an integer/],
    [["--json=yes"], /^--json takes no value$/],
  ];
  for (const [args, message] of cases) {
    assert.throws(() => parseOptions(table, args), (error: unknown) => {
      assert.ok(error instanceof CommandError);
      assert.equal(error.exitCode, exitCodes.usage);
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("options: the help names flag, value and default", () => {
  assert.equal(
    describeOptions(table),
    [
      "  --url URL    where to (default: mqtt://x)",
      "  --ca FILE    authorities (default: the system's)",
      "  --qos 0|1|2  quality (default: 1)",
      "  --drain-s S  wait (default: 30)",
      "  --count N    messages",
      "  --json       as JSON",
    ].join("\n"),
  );
});
