/**
 * Signals to the service, to its task and to the demo.
 *
 * @module
 */
import assert from "node:assert/strict";
import { freePort } from "../../gateways/testing/server_process.ts";
import { storedSeries } from "../support/input.ts";
import { RawClient } from "../support/raw_mqtt.ts";
import { temporaryDirectory } from "../support/run.ts";
import { startSluice, until } from "../support/sluice.ts";

const root = new URL("../../", import.meta.url).pathname;

/** A task of deno.json, run in a process group of its own as a terminal does. */
async function startTask(task: string, ready: RegExp) {
  const directory = await temporaryDirectory();
  const http = `127.0.0.1:${freePort()}`;
  const child = new Deno.Command("setsid", {
    args: [Deno.execPath(), "task", "--quiet", task],
    cwd: root,
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
    env: {
      NO_COLOR: "1",
      SLUICE_DATA_DIR: `${directory.path}/data`,
      SLUICE_MQTT_LISTEN: `127.0.0.1:${freePort()}`,
      SLUICE_HTTP_LISTEN: http,
    },
  }).spawn();
  const output = { text: "" };
  const read = (async () => {
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) output.text += text;
  })();
  await until("ready", () => ready.test(output.text));
  return {
    http: `http://${http}`,
    /** Ends it by a signal; gives exit code and output. */
    async end(how: (pid: number) => void): Promise<{ code: number; text: string }> {
      how(child.pid);
      const { code } = await child.status;
      await read;
      await directory[Symbol.asyncDispose]();
      return { code, text: output.text };
    },
  };
}

/** To everybody in the terminal's foreground, as Ctrl-C does. */
const ctrlC = (pid: number): void => Deno.kill(-pid, "SIGINT");
const terminate = (pid: number): void => Deno.kill(pid, "SIGTERM");

for (const [name, how] of Object.entries({ "Ctrl-C": ctrlC, "SIGTERM to the task": terminate })) {
  Deno.test(`task start: ${name} ends it in good order`, async () => {
    const task = await startTask("start", /is ready\n/);
    const { code, text } = await task.end(how);
    assert.match(text, /ended in good order\n$/);
    assert.equal(code, 0);
  });

  Deno.test(`task demo: ${name} ends service and fleet in good order`, async () => {
    const task = await startTask("demo", /is ready\n[^]*a simulated fleet is sending\n/);
    await until(
      "the fleet's readings are stored",
      async () => (await storedSeries(task.http)).length > 20,
    );
    const { code, text } = await task.end(how);
    assert.match(text, /ended in good order\n$/);
    assert.doesNotMatch(text, /the fleet ended/);
    assert.equal(code, 0);
  });
}

Deno.test("a second signal ends at once", async () => {
  await using sluice = await startSluice();
  // A client that does not leave holds the drain up.
  using _client = await RawClient.connect(sluice.mqttPort);
  const { pid } = sluice.process;
  Deno.kill(pid, "SIGINT");
  await until("it drains", () => sluice.process.log.includes("shutting down: draining"));
  Deno.kill(pid, "SIGTERM");
  await until("it has ended", () => !sluice.process.alive);
  assert.equal(await sluice.process.stop(), 143);
});
