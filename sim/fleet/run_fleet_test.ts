import assert from "node:assert/strict";
import { parseOptions } from "../options.ts";
import { Progress } from "../progress.ts";
import { ManualClock } from "../testing/manual_clock.ts";
import { fleetOptions } from "./fleet_options.ts";
import { type FleetClient, type FleetTotals, runFleet } from "./run_fleet.ts";

interface Published {
  readonly clientId: string;
  readonly topic: string;
  readonly atMs: number;
}

async function fleet(
  args: readonly string[],
  publish: (published: Published) => Promise<void> = () => Promise.resolve(),
  stop = new AbortController(),
): Promise<
  {
    readonly totals: FleetTotals;
    readonly published: readonly Published[];
    readonly closed: number;
  }
> {
  const clock = new ManualClock();
  const published: Published[] = [];
  let closed = 0;
  const connect = (clientId: string): FleetClient => ({
    connected: true,
    publish(topic) {
      const one = { clientId, topic, atMs: clock.nowMs() };
      published.push(one);
      return publish(one);
    },
    close() {
      closed++;
      return Promise.resolve();
    },
  });
  const totals = await clock.drive(runFleet(parseOptions(fleetOptions, args), {
    connect,
    clock,
    progress: new Progress(undefined),
    stop: stop.signal,
  }));
  return { totals, published, closed };
}

Deno.test("fleet: each device at its rate, in turns of the models", async () => {
  const { totals, published, closed } = await fleet(
    ["--devices", "6", "--rate", "2", "--duration-s", "60", "--models", "station,vehicle"],
  );
  assert.equal(closed, 6);
  assert.equal(totals.acknowledged, totals.published);
  for (let n = 0; n < 6; n++) {
    const own = published.filter(({ clientId }) => clientId === `sim-fleet-${n}`);
    assert.ok(own.length > 108 && own.length < 132, `${own.length}`);
    assert.equal(new Set(own.map(({ topic }) => topic)).size, 1);
    assert.equal(own[0]!.topic.endsWith("/position"), n % 2 === 1);
  }
});

Deno.test("fleet: pauses differ by the jitter and no more", async () => {
  const { published } = await fleet(
    ["--devices", "1", "--rate", "1", "--jitter", "0.5", "--duration-s", "100"],
  );
  const pauses = published.slice(1).map(({ atMs }, i) => atMs - published[i]!.atMs);
  assert.ok(pauses.every((ms) => ms >= 500 && ms < 1_500));
  assert.ok(Math.max(...pauses) - Math.min(...pauses) > 500);
});

Deno.test("fleet: a device whose broker is silent keeps few readings, and skips the rest", async () => {
  const { totals } = await fleet(
    ["--devices", "1", "--rate", "10", "--duration-s", "20"],
    () => new Promise(() => {}),
  );
  assert.equal(totals.published, 100);
  assert.equal(totals.acknowledged, 0);
  assert.ok(totals.skipped > 80);
});

Deno.test("fleet: failures are counted, and the device goes on", async () => {
  let count = 0;
  const { totals } = await fleet(
    ["--devices", "1", "--rate", "1", "--duration-s", "30"],
    () => count++ % 2 === 0 ? Promise.reject(new Error("closed")) : Promise.resolve(),
  );
  assert.equal(totals.failed + totals.acknowledged, totals.published);
  assert.ok(totals.failed > 10 && totals.acknowledged > 10);
});

Deno.test("fleet: goes on until it is stopped", async () => {
  const stop = new AbortController();
  const { totals, closed } = await fleet(["--devices", "3", "--rate", "1"], ({ atMs }) => {
    if (atMs > 600_000) stop.abort();
    return Promise.resolve();
  }, stop);
  assert.ok(totals.acknowledged > 1_700);
  assert.equal(closed, 3);
});

Deno.test("fleet: an unknown model is refused", () => {
  assert.throws(
    () => parseOptions(fleetOptions, ["--models", "station,toaster"]),
    /--models must be of device, station, weather, vehicle, not "station,toaster"/,
  );
});
