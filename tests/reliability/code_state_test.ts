/**
 * What devices' code keeps, over a stop in good order, a kill, and other numbers of shards.
 *
 * @module
 */
import assert from "node:assert/strict";
import { DeviceStates } from "../../gateways/store/device_states.ts";
import { startSluice, until } from "../support/sluice.ts";

const meters = Array.from({ length: 6 }, (_, i) => `m${i}`);
const meterRoute = {
  name: "meter",
  topic: "meters/{meter}",
  measurement: "meter",
  module: new URL("../support/device_code/meter.ts", import.meta.url).pathname,
};

Deno.test("what devices' code keeps is there after SIGTERM, and after a kill once it was saved, whichever shard owns them", async () => {
  const config = { shards: 2 };
  await using sluice = await startSluice({ config, routes: [meterRoute] });
  /** Sends the count to every meter and gives what the code made of it. */
  const deltas = (pulses: number) =>
    Promise.all(meters.map(async (meter) => {
      const sent = await fetch(`${sluice.httpUrl}/api/readings?topic=meters/${meter}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: String(pulses),
      });
      assert.equal(sent.status, 204, await sent.text());
      const device = await fetch(`${sluice.httpUrl}/api/devices/${meter}`);
      return /"delta":(\d+)/.exec(await device.text())?.[1];
    }));
  const all = (delta: string) => meters.map(() => delta);

  assert.deepEqual(await deltas(10), all("10"));
  assert.equal(await sluice.process.stop(), 0);
  config.shards = 3;
  await sluice.process.restart();
  assert.deepEqual(await deltas(25), all("15"));
  const states = new DeviceStates(`${sluice.dataDir}/devices.db`);
  try {
    await until(
      "all are saved",
      () =>
        Promise.resolve(meters.every((meter) => states.get(meter)?.includes('{\\"last\\":25}'))),
    );
  } finally {
    states.close();
  }
  await sluice.process.kill();
  config.shards = 1;
  await sluice.process.restart();
  assert.deepEqual(await deltas(31), all("6"));
});
