/**
 * Stations store locally while they are offline and send when they are back: nothing missing,
 * nothing doubled, in order, whatever is cut or killed.
 *
 * @module
 */
import assert from "node:assert/strict";
import { addAccount, adminPassword, login } from "../support/accounts.ts";
import { storedValues } from "../support/input.ts";
import { Network } from "../support/network.ts";
import { permissionsOf } from "../../gateways/auth/permissions.ts";
import { signToken, tokenKey } from "../../gateways/auth/token.ts";
import {
  assertConserved,
  settledBooks,
  startFlags,
  startSluice,
  until,
} from "../support/sluice.ts";

const root = new URL("../../", import.meta.url).pathname;

function startStation(
  port: number,
  queue: string,
  count: number,
  ...more: string[]
): Deno.ChildProcess {
  const args = ["run", ...startFlags, `${root}sim/main.ts`, "station"].concat(
    ["--url", `ws://127.0.0.1:${port}/ws`, "--queue", queue, "--rate", "100", "--json"],
    ["--count", String(count), ...more],
  );
  return new Deno.Command(Deno.execPath(), {
    args,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

const pause = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));

Deno.test("a station loses nothing and doubles nothing: network cut, restarts, kill -9 of both", async () => {
  const count = 800;
  const dir = await Deno.makeTempDir();
  await using sluice = await startSluice({ config: { shards: 2 } });
  await using network = new Network(Number(new URL(sluice.httpUrl).port));
  const queue = `${dir}/queue`;
  let station = startStation(network.port, queue, count);
  const stored = async () => (await storedValues(sluice.httpUrl, "UPB~RPi_1")).length / 2;
  await until("some are stored", async () => await stored() > 50);
  network.cut();
  await pause(1_000);
  network.restore();
  await until("more are stored", async () => await stored() > 150);

  station.kill("SIGKILL");
  await station.output();
  station = startStation(network.port, queue, count);
  await until("still more are stored", async () => await stored() > 250);

  await sluice.process.kill();
  await pause(500);
  await sluice.process.restart();
  await until("after the kill", async () => await stored() > 400);
  assert.equal(await sluice.process.stop(), 0);
  await sluice.process.restart();

  const { code, stdout, stderr } = await station.output();
  const text = new TextDecoder().decode(stdout);
  assert.equal(code, 0, text + new TextDecoder().decode(stderr));
  assert.match(text, /"queued":0/);
  assertConserved(await settledBooks(sluice.httpUrl));
  const values = await storedValues(sluice.httpUrl, "UPB~RPi_1");
  const sequences = values.filter(({ metric }) => metric === "seq").map(({ value }) => value);
  assert.deepEqual(sequences, Array.from({ length: count }, (_, i) => i + 1));
  await Deno.remove(dir, { recursive: true });
});

/**
 * A login of the service's, by a server of its own as on Deno Deploy: it names the endpoints that it
 * is told to, and its tokens end after seconds.
 */
function loginServer(secret: string, password: string, endpoints: () => string[]) {
  let logins = 0;
  const permissions = permissionsOf({
    name: "UPB/RPi_1",
    roles: ["device"],
    read: [],
    write: [],
    devices: [],
  });
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const fields = new URLSearchParams(await request.text());
    if (fields.get("name") !== "UPB/RPi_1" || fields.get("password") !== password) {
      return new Response("", { status: 401 });
    }
    logins++;
    const nowS = Math.floor(Date.now() / 1_000);
    // The service's tolerance is 30 s.
    const claims = {
      name: "UPB/RPi_1",
      version: 1,
      issuedS: nowS - 60,
      expiresS: nowS - 28,
      permissions,
    };
    return Response.json({
      token: await signToken(claims, [await tokenKey(secret)]),
      endpoints: endpoints(),
    });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}/login`,
    logins: () => logins,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

Deno.test("a station goes on when its token ends and when its endpoint is another", async () => {
  const count = 600;
  const dir = await Deno.makeTempDir();
  const secret = "u8Qv3mZt0pXyR7kLw2NcE5hJd9GfBs41";
  await using sluice = await startSluice({
    config: { shards: 2, auth: { required: true }, jwt: { secret } },
  });
  const { httpUrl } = sluice;
  const admin = await login(httpUrl, "admin", await adminPassword(sluice));
  const password = await addAccount(httpUrl, admin, { name: "UPB/RPi_1", kind: "device" });
  const port = Number(new URL(httpUrl).port);
  await using first = new Network(port);
  await using second = new Network(port);
  let network = first;
  await using door = loginServer(secret, password, () => [
    "mqtts://127.0.0.1:1",
    `ws://127.0.0.1:${network.port}/ws`,
  ]);
  const station = startStation(
    first.port,
    `${dir}/queue`,
    count,
    ...["--login", door.url, "--password", password],
  );
  const stored = async () =>
    (await storedValues(httpUrl, "UPB~RPi_1", admin)).filter(({ metric }) => metric === "seq");
  await until("it has logged in for a token that ended", () => Promise.resolve(door.logins() > 1));
  network = second;
  first.cut();
  const before = (await stored()).length;
  await until("it sends by the other way", async () => (await stored()).length > before + 100);

  const { code, stdout, stderr } = await station.output();
  const text = new TextDecoder().decode(stdout);
  assert.equal(code, 0, text + new TextDecoder().decode(stderr));
  assert.match(text, /"queued":0/);
  assertConserved(await settledBooks(httpUrl));
  const sequences = (await stored()).map(({ value }) => value);
  assert.deepEqual(sequences, Array.from({ length: count }, (_, i) => i + 1));
  await Deno.remove(dir, { recursive: true });
});
