import assert from "node:assert/strict";
import { ManualClock } from "../testing/manual_clock.ts";
import { accountOf, type StoredReading, storedReadings } from "../testing/stored_readings.ts";
import { isClean, runVerify } from "./run_verify.ts";
import type { SampleRequest, SampleStore } from "./samples.ts";

/** A store whose content `show` says, each time it is looked at. */
function fakeStore(show: (look: number) => readonly StoredReading[]): SampleStore & {
  readonly requests: SampleRequest[];
} {
  const requests: SampleRequest[] = [];
  return {
    name: "fake",
    precisionNs: 1,
    requests,
    async *samples(request) {
      const firsts = requests.filter(({ key }) => key === "seq").length;
      requests.push(request);
      for (const one of show(request.key === "seq" ? firsts : firsts - 1)) {
        const value = one.values.get(request.key);
        if (value === undefined) continue;
        yield await Promise.resolve({
          device: one.device,
          series: one.series,
          count: 1,
          timesNs: [one.timeNs],
          values: [value],
        });
      }
    },
  };
}

const never = new AbortController().signal;
const account = accountOf("bench", { devices: 2, sent: 5 });
const stored = storedReadings(account);

Deno.test("verify: asks again while readings may still come", async () => {
  const clock = new ManualClock();
  const store = fakeStore((look) => stored.slice(0, 4 + look * 2));
  const findings = await clock.drive(runVerify(account, store, { waitMs: 60_000 }, clock, never));
  assert.ok(isClean(findings));
  assert.equal(clock.nowMs(), 250 + 500 + 1_000);
});

Deno.test("verify: readings that come while the store is being read settle", async () => {
  const clock = new ManualClock();
  const store = fakeStore((look) => stored.slice(0, 8 + look));
  const late = stored[9]!;
  const samples = store.samples.bind(store);
  store.samples = async function* (request) {
    yield* samples(request);
    if (request.key !== "pressure" || store.requests.length > 4) return;
    const values = [late.values.get("pressure")!];
    yield { device: late.device, series: late.series, count: 1, timesNs: [late.timeNs], values };
  };
  const findings = await clock.drive(runVerify(account, store, { waitMs: 10_000 }, clock, never));
  assert.ok(isClean(findings));
  assert.ok(clock.nowMs() > 0);
});

Deno.test("verify: gives up in the end", async () => {
  const clock = new ManualClock();
  const store = fakeStore(() => stored.slice(1));
  const findings = await clock.drive(runVerify(account, store, { waitMs: 10_000 }, clock, never));
  assert.equal(findings.faults.missing, 1);
  assert.ok(!isClean(findings));
  assert.ok(clock.nowMs() <= 10_000);
});

Deno.test("verify: what is wrong does not get better by waiting", async () => {
  const clock = new ManualClock();
  const wrong = { ...stored[0]!, series: "another" };
  const store = fakeStore(() => [...stored, wrong]);
  const findings = await clock.drive(runVerify(account, store, { waitMs: 10_000 }, clock, never));
  assert.equal(findings.faults.duplicated, 1);
  assert.equal(clock.nowMs(), 0);
});

Deno.test("verify: looks only where and when the run's readings can be", async () => {
  const clock = new ManualClock(1_700_000_100_000);
  const names = { waitMs: 0, measurement: "readings", deviceTag: "host" };
  const store = fakeStore(() => stored);
  await clock.drive(runVerify(account, store, names, clock, never));
  const [first] = store.requests;
  assert.deepEqual(first!.pattern, {
    measurement: { kind: "is", name: "readings" },
    field: "seq",
    deviceTag: "host",
  });
  assert.equal(first!.fromMs, 1_700_000_005_000);
  assert.equal(first!.toMs, 1_700_000_005_040);
  assert.deepEqual([...first!.deviceOfTag], [["d0", 0], ["d1", 1]]);
  assert.deepEqual(first!.deviceIds, ["d0", "d1"]);

  const cutOff = accountOf("arrival", { devices: 1, sent: 5, cutOff: true });
  const later = fakeStore(() => storedReadings(cutOff));
  await clock.drive(runVerify(cutOff, later, { waitMs: 0 }, clock, never));
  assert.equal(later.requests[0]!.fromMs, 1_700_000_000_000);
  assert.equal(later.requests[0]!.toMs, 1_700_000_100_000);
});
