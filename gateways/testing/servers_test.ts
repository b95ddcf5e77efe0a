import assert from "node:assert/strict";
import { testWith } from "./programs.ts";
import type { ServerProcess } from "./server_process.ts";
import { startInfluxd, startMosquitto, startPostgres, startVictoriaMetrics } from "./servers.ts";

async function connects(server: ServerProcess): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: server.host, port: server.port })).close();
    return true;
  } catch (cause) {
    assert.ok(cause instanceof Deno.errors.ConnectionRefused);
    return false;
  }
}

async function goesDownAndUp(server: ServerProcess): Promise<void> {
  const first = server.pid;
  assert.equal(await connects(server), true);
  await server.kill();
  assert.equal(await connects(server), false);
  assert.throws(() => server.pid, /not running/);
  await server.restart();
  assert.notEqual(server.pid, first);
  assert.equal(await connects(server), true);
  server.pause();
  await server.stop();
  assert.equal(await connects(server), false);
}

const kinds = [
  { needed: ["mosquitto"], start: () => startMosquitto() },
  { needed: ["victoria-metrics"], start: () => startVictoriaMetrics() },
  { needed: ["influxd"], start: () => startInfluxd() },
  { needed: ["postgres", "initdb", "pg_isready"], start: startPostgres },
] as const;

for (const { needed, start } of kinds) {
  testWith(needed, `${needed[0]} starts, dies, and comes back on its port`, async () => {
    let dir: string;
    {
      await using server = await start();
      dir = server.dir;
      await goesDownAndUp(server);
    }
    await assert.rejects(Deno.stat(dir), Deno.errors.NotFound);
  });
}

testWith(["victoria-metrics"], "a server that cannot start fails with its own words", async () => {
  await assert.rejects(startVictoriaMetrics(["-noSuchFlag"]), /noSuchFlag/);
});
