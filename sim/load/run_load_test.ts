import assert from "node:assert/strict";
import { readAccount } from "../account.ts";
import { CommandError, exitCodes } from "../exit_code.ts";
import { parseOptions } from "../options.ts";
import { Progress, type ProgressOutput } from "../progress.ts";
import { Random } from "../random.ts";
import { FakeBroker, type FakeBrokerOptions } from "../testing/fake_broker.ts";
import { ManualClock } from "../testing/manual_clock.ts";
import { loadOptions } from "./load_options.ts";
import { describeReport, type LoadReport } from "./load_report.ts";
import { runLoad } from "./run_load.ts";

/** Runs a load against a broker in memory, in time that does not pass by itself. */
async function load(
  args: readonly string[],
  brokerOptions: FakeBrokerOptions = {},
  check: (account: string) => Promise<void> = () => Promise.resolve(),
  stop = new AbortController(),
  output?: ProgressOutput,
): Promise<
  { readonly report: LoadReport; readonly broker: FakeBroker; readonly clock: ManualClock }
> {
  const account = await Deno.makeTempFile();
  try {
    const broker = new FakeBroker(brokerOptions);
    const clock = new ManualClock();
    const options = parseOptions(loadOptions, [...args, "--account", account, "--model", "bench"]);
    const report = await clock.drive(runLoad(options, {
      target: { kind: "mqtt", dial: broker.dial, credentials: {} },
      clock,
      cpuUs: () => 0,
      progress: new Progress(output),
      stop: stop.signal,
    }));
    await check(account);
    return { report, broker, clock };
  } finally {
    await Deno.remove(account);
  }
}

/** Device and counter of each message, once. */
function distinct(broker: FakeBroker): Set<string> {
  return new Set(broker.published.map(({ topic, payload }) => {
    const { seq } = JSON.parse(new TextDecoder().decode(payload));
    return `${topic} ${seq - 1e9}`;
  }));
}

for (const qos of [0, 1, 2]) {
  for (const protocol of [4, 5]) {
    Deno.test(`load: a count of messages, QoS ${qos}, MQTT ${protocol}`, async () => {
      const args = ["--count", "50", "--connections", "3", "--devices", "7"];
      const { report, broker } = await load(
        [...args, "--qos", `${qos}`, "--protocol", `${protocol}`],
        {},
        async (path) => {
          const { acknowledged, end } = await readAccount(path);
          const sizes = acknowledged.map(({ size }) => size);
          assert.equal(sizes.reduce((a, b) => a + b), 50);
          assert.deepEqual(end?.sent, sizes);
        },
      );
      assert.equal(report.acknowledged, 50);
      assert.equal(report.unacknowledged, 0);
      assert.equal(broker.published.length, 50);
      assert.equal(distinct(broker).size, 50);
      assert.equal(broker.controls.filter(({ kind }) => kind === "disconnect").length, 3);
    });
  }
}

Deno.test("load: an open loop sends what its rate says, even what was due while a break lasted", async () => {
  const broken = new Set([20, 45, 46]);
  const { report, broker, clock } = await load(
    ["--rate", "100", "--duration-s", "2", "--connections", "2"],
    { fate: (_publish, order) => broken.has(order) ? "broken" : 0 },
  );
  assert.equal(report.sent, 200);
  assert.equal(report.acknowledged, 200);
  assert.equal(distinct(broker).size, 200);
  assert.equal(report.reconnects, 3);
  assert.ok(report.resent >= 3);
  assert.equal(broker.published.filter(({ dup }) => dup).length, report.resent);
  assert.ok(clock.nowMs() >= 2_000 && clock.nowMs() < 4_000);
  // What was due during a break waited for its end: the corrected latency shows it.
  assert.ok(report.latencyMs.sinceDue.max >= 25, `${report.latencyMs.sinceDue.max}`);
  assert.match(describeReport(report), /reconnects 3, failed attempts 0, messages sent again/);
});

Deno.test("load: --tick-ms gathers what falls due, and sends all of it", async () => {
  const args = ["--rate", "1000", "--duration-s", "1", "--connections", "4"];
  const waited = async (...more: string[]): Promise<number> => {
    const { report } = await load([...args, ...more]);
    assert.equal(report.acknowledged, 1_000);
    return report.latencyMs.sinceDue.max;
  };
  assert.ok(await waited() < 2);
  const gatheredMs = await waited("--tick-ms", "25");
  assert.ok(gatheredMs > 20 && gatheredMs < 30, `${gatheredMs}`);
});

Deno.test("load: connections that break at random moments lose nothing, and repeat with DUP", async () => {
  const random = new Random(11);
  const first = new Map<string, number>();
  const { report, broker } = await load(
    ["--count", "400", "--connections", "4", "--window", "7", "--qos", "2"],
    {
      readMax: 13,
      fate: () => random.next() < 0.05 ? "broken" : 0,
      unreachable: (n) => n > 4 && n % 3 === 0,
    },
  );
  assert.equal(report.acknowledged, 400);
  assert.equal(distinct(broker).size, 400);
  assert.ok(report.reconnects > 5);
  assert.ok(report.connectFailures > 0);
  for (const { topic, payload, packetId, dup } of broker.published) {
    const key = `${topic} ${new TextDecoder().decode(payload)}`;
    assert.ok(!first.has(key) || (dup && first.get(key) === packetId), "another packet identifier");
    first.set(key, packetId);
  }
});

Deno.test("load: what is never acknowledged is waited for, reported, and not in the account", async () => {
  const { report, clock } = await load(
    ["--count", "10", "--connections", "1", "--drain-s", "3", "--duration-s", "1"],
    { fate: (_publish, order) => order === 4 ? "ignored" : 0 },
    async (path) => {
      const { acknowledged, end } = await readAccount(path);
      assert.deepEqual(acknowledged[0]!.ranges, [{ from: 0, to: 4 }, { from: 5, to: 10 }]);
      assert.deepEqual(end?.sent, [10]);
    },
  );
  assert.equal(report.unacknowledged, 1);
  assert.ok(clock.nowMs() >= 4_000);
  assert.match(describeReport(report), /NOT acknowledged: 1/);
});

Deno.test("load, MQTT 5: a rejected reading is neither acknowledged nor missing", async () => {
  const { report } = await load(
    ["--count", "10", "--connections", "1", "--protocol", "5"],
    { fate: (_publish, order) => order === 2 ? 0x97 : 0 },
    async (path) => {
      assert.equal((await readAccount(path)).acknowledged[0]!.size, 9);
    },
  );
  assert.equal(report.rejected, 1);
  assert.equal(report.unacknowledged, 0);
  assert.deepEqual(report.reasons, { quotaExceeded: 1 });
});

Deno.test("load: stopping early still waits for what is out", async () => {
  const stop = new AbortController();
  const { report } = await load(
    ["--rate", "1000", "--duration-s", "60", "--connections", "2"],
    {
      fate: (_publish, order) => {
        if (order === 100) stop.abort();
        return 0;
      },
    },
    undefined,
    stop,
  );
  assert.ok(report.acknowledged > 100 && report.acknowledged < 200);
  assert.equal(report.unacknowledged, 0);
});

Deno.test("load: an idle connection is kept alive", async () => {
  const { broker } = await load(
    ["--rate", "0.02", "--duration-s", "120", "--connections", "1", "--keep-alive-s", "20"],
  );
  assert.ok(broker.controls.filter(({ kind }) => kind === "pingreq").length >= 5);
});

Deno.test("load: a server that is not there, or says no, ends the run with a reason", async () => {
  const cases: readonly (readonly [FakeBrokerOptions, message: RegExp])[] = [
    [{ unreachable: () => true }, /^cannot connect: refused$/],
    [
      { connack: () => 5 },
      /^cannot connect: the server ended the connection: not authorized \(5\)$/,
    ],
  ];
  for (const [options, message] of cases) {
    await assert.rejects(load(["--connections", "2", "--give-up-s", "5"], options), (error) => {
      assert.ok(error instanceof CommandError);
      assert.equal(error.exitCode, exitCodes.unavailable);
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("load: while no connection comes about it says why", async () => {
  const told: string[] = [];
  const output = { isTerminal: false, columns: 80, write: (text: string) => told.push(text) };
  const args = ["--connections", "1", "--give-up-s", "8"];
  const run = load(args, { unreachable: () => true }, undefined, undefined, output);
  await assert.rejects(run, /cannot connect: refused/);
  assert.deepEqual(
    new Set(told),
    new Set(["no connection yet: refused; given up after 8 s (--give-up-s)\n"]),
  );
});

Deno.test("load: a server that is busy at first is tried again", async () => {
  const { report } = await load(
    ["--count", "4", "--connections", "2"],
    { connack: (n) => n < 3 ? 3 : 0 },
  );
  assert.equal(report.acknowledged, 4);
  assert.equal(report.connectFailures, 3);
  assert.deepEqual(report.breaks, {
    "the server ended the connection: server unavailable (3)": 3,
  });
});

Deno.test("load: more connections than devices do not go round", async () => {
  await assert.rejects(load(["--connections", "5", "--devices", "4"]), {
    name: "CommandError",
    message: /--devices 4 does not go round/,
  });
});
