import assert from "node:assert/strict";
import { accountUsage } from "./account_command.ts";
import { type Command, parseCommandLine, usage } from "./command_line.ts";

const cases: readonly (readonly [string[], Record<string, string>, Command])[] = [
  [[], {}, { kind: "start" }],
  [[], { SLUICE_CONFIG: "e.json" }, { kind: "start", configFile: "e.json" }],
  [[], { SLUICE_CONFIG: "" }, { kind: "start" }],
  [["--config", "a.json"], { SLUICE_CONFIG: "e.json" }, { kind: "start", configFile: "a.json" }],
  [["--config=a=b.json"], {}, { kind: "start", configFile: "a=b.json" }],
  [["--print-config", "--config", "a.json"], {}, { kind: "print_config", configFile: "a.json" }],
  [["--help", "--bogus"], {}, { kind: "help" }],
  [["-V"], {}, { kind: "version" }],
  [["--config"], {}, { kind: "usage_error", message: "--config needs a file name", usage }],
  [["--config="], {}, { kind: "usage_error", message: "--config needs a file name", usage }],
  [["--config", "--help"], {}, {
    kind: "usage_error",
    message: "--config needs a file name",
    usage,
  }],
  [["--help=1"], {}, { kind: "usage_error", message: "--help takes no value", usage }],
  [["--verison"], {}, {
    kind: "usage_error",
    message: "unknown flag --verison; did you mean --version?",
    usage,
  }],
  [["account", "disable"], {}, {
    kind: "usage_error",
    message: "account disable needs one name",
    usage: accountUsage,
  }],
  [["start"], {}, { kind: "usage_error", message: 'unexpected argument "start"', usage }],
];

for (const [args, env, expected] of cases) {
  Deno.test(`command line: ${JSON.stringify(args)} ${JSON.stringify(env)}`, () => {
    assert.deepEqual(parseCommandLine(args, env), expected);
  });
}
