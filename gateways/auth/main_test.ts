/**
 * The login as Deno Deploy runs it: `deno serve` with the network and the environment, no more.
 *
 * @module
 */
import assert from "node:assert/strict";
import { systemClock } from "../../runtime/clock.ts";
import { testWith } from "../testing/programs.ts";
import { freePort, ServerProcess } from "../testing/server_process.ts";
import { startPostgres } from "../testing/servers.ts";
import { Accounts } from "./accounts.ts";
import { nativeScrypt } from "./native_scrypt.ts";
import { PasswordHasher } from "./password.ts";
import { PasswordChecker } from "./password_checker.ts";
import { PostgresAccounts } from "./postgres_accounts.ts";
import { tokenKey, verifyToken } from "./token.ts";

const secret = "u8Qv3mZt0pXyR7kLw2NcE5hJd9GfBs41";
const entry = new URL("./main.ts", import.meta.url).pathname;
const permissions = ["--no-prompt", "--allow-net", "--allow-env"];

function startLogin(postgresUrl: string): Promise<ServerProcess> {
  return ServerProcess.start({
    name: "login",
    scheme: "http",
    ready: async (port) => {
      const answer = await fetch(`http://127.0.0.1:${port}/healthz`);
      await answer.body?.cancel();
      return answer.ok;
    },
    command: (port) =>
      Promise.resolve({
        program: Deno.execPath(),
        args: ["serve", ...permissions, "--host=127.0.0.1", `--port=${port}`, entry],
        env: {
          NO_COLOR: "1",
          SLUICE_POSTGRES_URL: postgresUrl,
          SLUICE_JWT_SECRET: secret,
          SLUICE_AUTH_ADVERTISE: "mqtts://fallback.example:8883",
        },
      }),
  });
}

testWith(
  ["postgres", "initdb", "pg_isready", "setpriv"],
  "the login runs by itself, with no more than network and environment",
  async () => {
    await using database = await startPostgres();
    const url = `postgres://postgres@127.0.0.1:${database.port}/postgres`;
    const store = new PostgresAccounts(url);
    const accounts = new Accounts({
      store,
      clock: systemClock,
      passwords: new PasswordChecker(new PasswordHasher(nativeScrypt)),
    });
    const { password } = await accounts.add({ name: "UPB/A", kind: "device" }, "admin");
    await using login = await startLogin(url);
    const ask = (fields: Record<string, string>) =>
      fetch(`${login.url}/login`, {
        method: "POST",
        body: new URLSearchParams(fields),
        headers: { accept: "application/json" },
      });

    const granted = await ask({ name: "UPB/A", password });
    assert.equal(granted.status, 200);
    const { token, endpoints } = await granted.json();
    const claims = await verifyToken(token, [await tokenKey(secret)], Date.now());
    assert.ok(typeof claims === "object" && claims.name === "UPB/A");
    assert.deepEqual(endpoints, ["mqtts://fallback.example:8883"]);

    // Instances that are there come first, a full one last.
    const seenMs = Date.now();
    await store.announce({ url: "mqtts://full.example", load: 0.95, seenMs });
    await store.announce({ url: "mqtts://free.example", load: 0.1, seenMs });
    await store.announce({ url: "mqtts://gone.example", load: 0, seenMs: seenMs - 60_000 });
    assert.deepEqual((await (await ask({ name: "UPB/A", password })).json()).endpoints, [
      "mqtts://free.example",
      "mqtts://full.example",
    ]);

    const wrong = await ask({ name: "UPB/A", password: "wrong" });
    const unknown = await ask({ name: "nobody", password: "wrong" });
    assert.deepEqual([wrong.status, unknown.status], [401, 401]);
    assert.equal(await wrong.text(), await unknown.text());
    const other = await fetch(`${login.url}/api/devices`);
    assert.equal(other.status, 404);
    await other.body?.cancel();

    await accounts.disable("UPB/A", "admin");
    const disabled = await ask({ name: "UPB/A", password });
    assert.equal(disabled.status, 401);
    await disabled.body?.cancel();

    await database.stop();
    const away = await ask({ name: "UPB/A", password });
    assert.equal(away.status, 503);
    await away.body?.cancel();
    await database.restart();
    const back = await ask({ name: "nobody", password: "x" });
    assert.equal(back.status, 401);
    await back.body?.cancel();
    await store.close();
  },
);

Deno.test("the login does not start with a placeholder as key", async () => {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["serve", ...permissions, "--host=127.0.0.1", `--port=${freePort()}`, entry],
    env: {
      NO_COLOR: "1",
      SLUICE_POSTGRES_URL: "postgres://127.0.0.1/x",
      SLUICE_JWT_SECRET: "change-me-change-me-change-me-change-me",
    },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  assert.notEqual(code, 0);
  assert.match(new TextDecoder().decode(stderr), /SLUICE_JWT_SECRET.*no placeholder/s);
});

/** What `deno info --json` says of a program's modules. */
interface ModuleGraph {
  readonly modules: readonly {
    readonly specifier: string;
    readonly kind?: string;
    readonly dependencies?: readonly {
      readonly specifier: string;
      readonly code?: { readonly specifier?: string };
    }[];
  }[];
}

Deno.test("the login is made of Web APIs: no node: module, no Worker, three packages", async () => {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", entry],
    env: { NO_COLOR: "1" },
  }).output();
  const graph: ModuleGraph = JSON.parse(new TextDecoder().decode(stdout));
  const packages = new Set<string>();
  // Types are no code: they are not loaded.
  const seen = new Set([`file://${entry}`]);
  for (const specifier of seen) {
    const found = graph.modules.find((module) => module.specifier === specifier);
    for (const { specifier: name, code } of found?.dependencies ?? []) {
      if (code === undefined) continue;
      assert.doesNotMatch(name, /^(node:|https?:|jsr:)/, `${specifier} imports ${name}`);
      const target = code.specifier ?? "";
      if (target.startsWith("file:")) seen.add(target);
      else packages.add(/^npm:\/?(@[^/]+\/[^@/]+|[^@/]+)/.exec(target)?.[1] ?? target);
    }
  }
  assert.deepEqual([...packages].toSorted(), ["@noble/hashes", "jose", "postgres"]);
  assert.ok(seen.size > 10, "the graph was walked");
  for (const specifier of seen) {
    const text = await Deno.readTextFile(new URL(specifier));
    const used = /\bnew Worker\b|\bDeno\.(?!env\b|[A-Z])\w+|\bBuffer\b|\bprocess\.\w/.exec(text);
    assert.equal(used?.[0], undefined, specifier);
  }
});
