/**
 * What of the accounts is in the way of a start, and what is not.
 *
 * @module
 */
import assert from "node:assert/strict";
import { freePort } from "../../gateways/testing/server_process.ts";
import { runSluice, runWithConfig, temporaryDirectory } from "../support/run.ts";

Deno.test("accounts or a key that cannot be read end the start with 73", async () => {
  for (const file of ["accounts.db", "jwt_key"]) {
    await using directory = await temporaryDirectory();
    await Deno.writeTextFile(`${directory.path}/${file}`, "this is not what it should be\n");
    const { code, stderr } = await runWithConfig({
      dataDir: directory.path,
      mqtt: { listen: `127.0.0.1:${freePort()}` },
      http: { listen: `127.0.0.1:${freePort()}` },
    });
    assert.equal(code, 73, stderr);
    assert.match(stderr, new RegExp(`Cannot use the data directory: .*${file}`));
  }
});

Deno.test("other machines without accounts and TLS end the start with 78", async () => {
  const { code, stderr } = await runWithConfig({ http: { listen: "0.0.0.0:8080" } });
  assert.equal(code, 78, stderr);
  assert.match(stderr, /http\.listen: .*set auth\.required, or http\.insecureAllowAnonymousRemote/);
  assert.match(stderr, /http\.listen: .*http\.insecureAllowPlaintextRemote/);
});

Deno.test("the command line says what is wrong, and tells how it is used", async () => {
  await using directory = await temporaryDirectory();
  const env = { SLUICE_DATA_DIR: `${directory.path}/data` };
  const add = await runSluice(["account", "add", "UPB/A", "--kind", "device"], env);
  assert.equal(add.code, 0, add.stderr);
  assert.match(add.stdout, /^UPB\/A {2}device {2}enabled {2}roles=device\npassword [\w-]{32} /);
  const ana = ["add", "ana", "--kind", "person", "--role", "admin"];
  assert.equal((await runSluice(["account", ...ana], env)).code, 0);
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [["add", "UPB/A", "--kind", "device"], /there is an account "UPB\/A"/],
    [["add", "#", "--kind", "device"], /a name is made of/],
    [["add", "x", "--kind", "robot"], /--kind must be one of/],
    [["grant", "UPB/A", "--role", "root"], /--role must be one of/],
    [["disable", "nobody"], /there is no account "nobody"/],
    [["disable", "ana"], /"ana" is the last admin who is not disabled; first make another one/],
    [["frob"], /unknown command frob/],
  ];
  for (const [args, expected] of cases) {
    const { code, stderr } = await runSluice(["account", ...args], env);
    assert.equal(code, 64, stderr);
    assert.match(stderr, expected);
  }
  const file = `${directory.path}/file`;
  await Deno.writeTextFile(file, "");
  const nowhere = await runSluice(["account", "list"], { SLUICE_DATA_DIR: file });
  assert.equal(nowhere.code, 73, nowhere.stderr);
  assert.match(nowhere.stderr, /^sluice: Cannot use the data directory \S+\/file: [^\n]+\n$/);
  const help = await runSluice(["account", "--help"], env);
  assert.equal(help.code, 0);
  assert.match(help.stdout, /^Usage: deno task account <command>/);
  const list = await runSluice(["account", "list", "--json"], env);
  const [first = ""] = list.stdout.split("\n");
  assert.equal(JSON.parse(first).name, "UPB/A");
});
