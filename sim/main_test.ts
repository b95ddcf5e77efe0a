import assert from "node:assert/strict";
import { CommandError, exitCodes } from "./exit_code.ts";
import { simulate } from "./main.ts";

async function run(
  args: readonly string[],
): Promise<{ readonly code: number; readonly text: string }> {
  const lines: string[] = [];
  try {
    const stop = new AbortController().signal;
    const code = await simulate(args, { print: (line) => lines.push(line), stop });
    return { code, text: lines.join("\n") };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return { code: error.exitCode, text: error.message };
  }
}

Deno.test("sim: help for all and for each", async () => {
  const all = await run(["--help"]);
  assert.equal(all.code, exitCodes.ok);
  assert.equal((await run([])).code, exitCodes.usage);
  for (const command of ["fleet", "load", "verify"]) {
    assert.match(all.text, new RegExp(`^  ${command} `, "m"));
    const { code, text } = await run([command, "--help", "--no-such-flag"]);
    assert.equal(code, exitCodes.ok);
    assert.match(
      text,
      new RegExp(`^sim ${command}: .*\n\nUsage: deno task sim ${command} \\[flags\\]`),
    );
    assert.match(text, /Exit codes: 0 /);
  }
});

Deno.test("sim: what cannot be is refused with a code that says why", async () => {
  const cases: readonly (readonly [args: readonly string[], code: number, text: RegExp])[] = [
    [["lode"], exitCodes.usage, /^unknown command lode\nUsage:/],
    [["load", "--qos", "3"], exitCodes.usage, /^--qos must be/],
    [["load", "--url", "ftp://127.0.0.1"], exitCodes.usage, /^--url must begin with mqtt/],
    [["load", "--url", "http://[::1]", "--qos", "2"], exitCodes.usage, /^--qos 2 is for mqtt/],
    [["load", "--url", "ws://a:b@[::1]"], exitCodes.usage, /use --token/],
    [["load", "--token", "x"], exitCodes.usage, /^--token is for ws/],
    [["load", "--url", "nowhere"], exitCodes.usage, /^--url must begin with mqtt/],
    [["load", "--ca", "/no/such"], exitCodes.input, /^cannot read --ca \/no\/such/],
    [["station", "--queue", "/no/such/queue"], exitCodes.input, /^cannot use --queue \/no\/such/],
    [["fleet", "--url", "http://127.0.0.1"], exitCodes.usage, /^--url must begin with/],
    [["verify", "--account", "/no/such"], exitCodes.input, /^cannot use --account \/no\/such/],
    [["verify", "--account", "deno.json"], exitCodes.input, /line 1 is not JSON/],
    [["verify", "--store", "oracle"], exitCodes.usage, /^--store must be one of sluice, /],
  ];
  for (const [args, code, text] of cases) {
    const answer = await run(args);
    assert.match(answer.text, text);
    assert.equal(answer.code, code, args.join(" "));
  }
});

Deno.test("sim: several commands at once print in their order; one that fails ends the others", async () => {
  const both = await run(["load", "--help", "--and", "verify", "--help"]);
  assert.equal(both.code, exitCodes.ok);
  assert.match(both.text, /^sim load: [^]*\nsim verify: /);
  const none = await run(["verify", "--help", "--and", "verify", "--account", "/no/such"]);
  assert.equal(none.code, exitCodes.input);
  assert.match(none.text, /^command 2, verify: cannot use --account \/no\/such/);

  // By itself the load would go on for an hour.
  const account = await Deno.makeTempFile();
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response(null, { status: 204 }),
  );
  const url = `http://127.0.0.1:${server.addr.port}`;
  const ended = await run([
    ...["load", "--url", url, "--account", account, "--rate", "10", "--duration-s", "3600"],
    ...["--quiet", "--and", "verify", "--store", "oracle"],
  ]);
  await Deno.remove(account);
  assert.equal(ended.code, exitCodes.usage);
  assert.match(ended.text, /^command 2, verify: --store must be one of/);
});
