import assert from "node:assert/strict";
import { parseAccountCommand } from "./account_command.ts";

Deno.test("account commands with all their flags", () => {
  const args = "add n --kind=device --role device --role reader --read a/# --write= --device c* " +
    "--password-stdin --json --config f.json";
  assert.deepEqual(parseAccountCommand(args.split(" ")), {
    verb: "add",
    name: "n",
    accountKind: "device",
    roles: ["device", "reader"],
    read: ["a/#"],
    write: [],
    devices: ["c*"],
    passwordFromStdin: true,
    json: true,
    configFile: "f.json",
  });
  assert.deepEqual(
    parseAccountCommand("limit n --rate 20:1,600:60 --sessions=default".split(" ")),
    {
      verb: "limit",
      name: "n",
      passwordFromStdin: false,
      json: false,
      limits: { messages: "20:1,600:60", sessionsMax: "default" },
    },
  );
  const plain = { name: "", passwordFromStdin: false, json: false };
  assert.deepEqual(parseAccountCommand(["list"]), { verb: "list", ...plain });
  assert.deepEqual(parseAccountCommand(["disable", "x"]), { verb: "disable", ...plain, name: "x" });
});

const refused: readonly (readonly [string, string])[] = [
  ["", "account needs a command"],
  ["--config a.json list", "account needs a command before --config"],
  ["remove x", "unknown command remove"],
  ["add", "account add needs one name"],
  ["add a b", "account add needs one name"],
  ["list a", "account list takes no name"],
  [
    "limit a",
    "account limit needs one of --rate, --points, --sessions, --subscriptions, --retained",
  ],
  ["limit a --kind device", "account limit has no --kind"],
  ["disable a --role admin", "account disable has no --role"],
  ["add a --kind", "--kind needs a value"],
  ["add a --json=1", "--json takes no value"],
  ["grant a --writ x", "account grant has no --writ; did you mean --write?"],
];

for (const [line, expected] of refused) {
  Deno.test(`refused: account ${line}`, () => {
    assert.equal(parseAccountCommand(line.split(" ").filter((word) => word !== "")), expected);
  });
}
