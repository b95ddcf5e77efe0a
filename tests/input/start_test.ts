/**
 * What of this machine is in the way of a start: ports that others have, and directories that
 * cannot be used. Each ends with its exit code and a message that says what to do.
 *
 * @module
 */
import assert from "node:assert/strict";
import { publish, storedSeries } from "../support/input.ts";
import { runSluice, runWithConfig, temporaryDirectory } from "../support/run.ts";
import { startSluice, until } from "../support/sluice.ts";
import { freePort } from "../../gateways/testing/server_process.ts";
import { testWith } from "../../gateways/testing/programs.ts";

const loopback = (port: number): string => `127.0.0.1:${port}`;

for (const edge of ["mqtt", "http"] as const) {
  Deno.test(`a ${edge} port that another program has ends the start with 69`, async () => {
    using other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    await using directory = await temporaryDirectory();
    const listen = { mqtt: loopback(freePort()), http: loopback(freePort()) };
    listen[edge] = loopback(other.addr.port);
    const { code, stderr, stdout } = await runWithConfig({
      dataDir: `${directory.path}/data`,
      mqtt: { listen: listen.mqtt },
      http: { listen: listen.http },
    });
    assert.equal(code, 69, stderr);
    const option = `${edge}.listen (SLUICE_${edge.toUpperCase()}_LISTEN)`;
    assert.ok(
      stderr.includes(`Cannot listen on ${listen[edge]}: the port is in use`) &&
        stderr.includes(option),
      stderr,
    );
    assert.doesNotMatch(stdout, /ready/);
  });
}

Deno.test("an address that is not of this machine ends the start with 69", async () => {
  await using directory = await temporaryDirectory();
  const { code, stderr } = await runWithConfig({
    dataDir: `${directory.path}/data`,
    mqtt: { listen: "192.0.2.1:1883", insecureAllowPlaintextRemote: true },
    auth: { required: true },
    http: { listen: loopback(freePort()) },
  });
  assert.equal(code, 69, stderr);
  assert.match(stderr, /Cannot listen on 192\.0\.2\.1:1883: /);
});

testWith(
  ["mosquitto_pub"],
  "a second Sluice gets neither the ports nor the data directory of the first",
  async () => {
    await using first = await startSluice();
    await using directory = await temporaryDirectory();
    const free = { mqtt: loopback(freePort()), http: loopback(freePort()) };
    const start = (dataDir: string, mqtt: string, http: string) =>
      runWithConfig({ dataDir, mqtt: { listen: mqtt }, http: { listen: http } });

    // SO_REUSEPORT would let it in without a word, and take half of the connections.
    const mqtt = await start(`${directory.path}/a`, loopback(first.mqttPort), free.http);
    assert.equal(mqtt.code, 69, mqtt.stderr);
    const http = await start(
      `${directory.path}/b`,
      free.mqtt,
      first.httpUrl.slice("http://".length),
    );
    assert.equal(http.code, 69, http.stderr);

    const data = await start(first.dataDir, free.mqtt, free.http);
    assert.equal(data.code, 73, data.stderr);
    assert.ok(
      data.stderr.includes(`${first.dataDir}: process ${first.process.pid} uses it`),
      data.stderr,
    );

    for (let i = 0; i < 8; i++) await publish(first.mqttPort, "still/there", `{"i":${i}}`);
    await until("all is stored", async () => (await storedSeries(first.httpUrl)).length === 8);
  },
);

Deno.test("a data directory that is a file ends the start with 73", async () => {
  await using directory = await temporaryDirectory();
  const file = `${directory.path}/data`;
  await Deno.writeTextFile(file, "");
  const { code, stderr } = await runSluice([], { SLUICE_DATA_DIR: file });
  assert.equal(code, 73, stderr);
  assert.match(stderr, /Cannot use the data directory .*: .*SLUICE_DATA_DIR/);
  assert.doesNotMatch(stderr, /\n\s+at /);
});

Deno.test("a data directory where nothing can be made ends the start with 73", async () => {
  // Nobody makes directories in /proc, not even root, for whom permissions do not count.
  const { code, stderr } = await runSluice([], { SLUICE_DATA_DIR: "/proc/sluice" });
  assert.equal(code, 73, stderr);
  assert.match(stderr, /Cannot use the data directory \/proc\/sluice: .*SLUICE_DATA_DIR/);
});

Deno.test({
  name: "a data directory that the user may not write ends the start with 73",
  ignore: Deno.uid() === 0, // Root may write everywhere.
  fn: async () => {
    await using directory = await temporaryDirectory();
    await Deno.mkdir(`${directory.path}/data`, { mode: 0o500 });
    const { code, stderr } = await runSluice([], { SLUICE_DATA_DIR: `${directory.path}/data` });
    assert.equal(code, 73, stderr);
  },
});
