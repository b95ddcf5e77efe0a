import assert from "node:assert/strict";
import { type Command, parseCommandLine } from "./command_line.ts";

const cases: readonly (readonly [string[], Record<string, string>, Command])[] = [
  [[], {}, { kind: "start" }],
  [[], { SLUICE_CONFIG: "e.json" }, { kind: "start", configFile: "e.json" }],
  [[], { SLUICE_CONFIG: "" }, { kind: "start" }],
  [["--config", "a.json"], { SLUICE_CONFIG: "e.json" }, { kind: "start", configFile: "a.json" }],
  [["--config=a=b.json"], {}, { kind: "start", configFile: "a=b.json" }],
  [["--print-config", "--config", "a.json"], {}, { kind: "print_config", configFile: "a.json" }],
  [["--help", "--bogus"], {}, { kind: "help" }],
  [["-V"], {}, { kind: "version" }],
  [["--config"], {}, { kind: "usage_error", message: "--config needs a file name" }],
  [["--config="], {}, { kind: "usage_error", message: "--config needs a file name" }],
  [["--config", "--help"], {}, { kind: "usage_error", message: "--config needs a file name" }],
  [["--help=1"], {}, { kind: "usage_error", message: "--help takes no value" }],
  [["--verison"], {}, {
    kind: "usage_error",
    message: "unknown flag --verison; did you mean --version?",
  }],
  [["start"], {}, { kind: "usage_error", message: 'unexpected argument "start"' }],
];

for (const [args, env, expected] of cases) {
  Deno.test(`command line: ${JSON.stringify(args)} ${JSON.stringify(env)}`, () => {
    assert.deepEqual(parseCommandLine(args, env), expected);
  });
}
