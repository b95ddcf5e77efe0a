import assert from "node:assert/strict";
import fc from "fast-check";
import type { Account } from "../account.ts";
import { accountOf, type StoredReading, storedReadings } from "../testing/stored_readings.ts";
import { type Findings, ReadingCheck } from "./reading_check.ts";

function check(account: Account, stored: readonly StoredReading[], precisionNs = 1): Findings {
  const reading = new ReadingCheck(account, precisionNs);
  for (const { key } of reading.fields) {
    for (const one of [...stored].sort((a, b) => a.timeNs - b.timeNs)) {
      const value = one.values.get(key);
      if (value === undefined) continue;
      const timesNs = [Math.floor(one.timeNs / precisionNs) * precisionNs];
      reading.take(key, {
        device: one.device,
        series: one.series,
        count: 1,
        timesNs,
        values: [value],
      });
    }
  }
  return reading.findings();
}

const clean = { missing: 0, duplicated: 0, wrongTime: 0, wrongValue: 0, unexpected: 0 };
const models = ["bench", "arrival", "station", "device"] as const;

for (const model of models) {
  Deno.test(`reading check ${model}: a store that holds everything is clean`, () => {
    for (const precisionNs of [1, 1_000_000]) {
      const account = accountOf(model, { devices: 3, sent: 40 });
      const found = check(account, storedReadings(account), precisionNs);
      assert.deepEqual(found.faults, clean);
      assert.equal(found.expected, 120);
      assert.equal(found.stored, 120);
      assert.deepEqual(found.examples, []);
    }
  });

  Deno.test(`reading check ${model}: faults are found, each as what it is`, () => {
    const account = accountOf(model, { devices: 2, sent: 30 });
    const pick = fc.uniqueArray(fc.nat(59), { minLength: 4, maxLength: 4 });
    fc.assert(fc.property(pick, ([lost = 0, doubled = 0, late = 0, wrong = 0]) => {
      const stored = storedReadings(account);
      const [gone, twice, moved, changed] = [lost, doubled, late, wrong].map((i) => stored[i]!);
      stored.push({ ...twice!, timeNs: twice!.timeNs + 123 });
      moved!.timeNs += 3_600_000_000_000;
      const key = model === "station" ? "TMP" : model === "device" ? "value" : "humidity";
      changed!.values.set(key, 1e6);
      const found = check(account, stored.filter((one) => one !== gone));
      assert.deepEqual(found.faults, {
        missing: 2, // The lost one, and the changed one, which has no such field.
        duplicated: 1,
        wrongTime: 1,
        wrongValue: 1,
        unexpected: 0,
      });
      assert.equal(found.stored, 58);
      assert.equal(found.examples.length, 5);
    }));
  });
}

Deno.test("reading check: a reading without one of its fields is missing, and says which", () => {
  const account = accountOf("bench", { devices: 1, sent: 3 });
  const stored = storedReadings(account);
  stored[1]!.values.delete("pressure");
  const found = check(account, stored);
  assert.deepEqual(found.faults, { ...clean, missing: 1 });
  assert.deepEqual(found.examples, ["device 0: reading 1 lacks pressure"]);
});

Deno.test("reading check: another series that holds the reading too is a duplicate", () => {
  const account = accountOf("bench", { devices: 1, sent: 3 });
  const stored = storedReadings(account);
  stored.push({ ...stored[2]!, series: "with another gateway" });
  assert.deepEqual(check(account, stored).faults, { ...clean, duplicated: 1 });
});

Deno.test("reading check: the same sample twice in one series is no fault, and is counted", () => {
  const account = accountOf("bench", { devices: 1, sent: 3 });
  const stored = storedReadings(account);
  stored.push({ ...stored[2]! });
  const found = check(account, stored);
  assert.deepEqual(found.faults, clean);
  assert.equal(found.repeats, 4); // Its four fields.
});

Deno.test("reading check: sent and not acknowledged may be stored or not", () => {
  const account = accountOf("bench", { devices: 2, sent: 10, acknowledged: 6 });
  const found = check(account, storedReadings(account).filter(({ counter }) => counter !== 8));
  assert.deepEqual(found.faults, clean);
  assert.equal(found.expected, 12);
  assert.equal(found.storedUnacknowledged, 6);
});

Deno.test("reading check: poison is not expected, and must not be there", () => {
  const account = accountOf("bench", { devices: 1, sent: 10, poisonEvery: 5 });
  const stored = storedReadings(account);
  assert.equal(check(account, stored).expected, 8);
  assert.deepEqual(check(account, stored).faults, clean);
  const poison = storedReadings(accountOf("bench", { devices: 1, sent: 10 }))[4]!;
  assert.equal(check(account, [...stored, poison]).faults.unexpected, 4);
});

Deno.test("reading check: what was never sent is unexpected, unless the account was cut off", () => {
  const longer = storedReadings(accountOf("bench", { devices: 1, sent: 12 }));
  const whole = accountOf("bench", { devices: 1, sent: 10 });
  assert.equal(check(whole, longer).faults.unexpected, 8); // Two readings of four fields.
  const cutOff = accountOf("bench", { devices: 1, sent: 10, cutOff: true });
  assert.deepEqual(check(cutOff, longer).faults, clean);
});

Deno.test("reading check: a reading at arrival must have arrived during the run", () => {
  const account = accountOf("arrival", { devices: 1, sent: 3 });
  for (const timeNs of [-3e9, 62e9]) {
    const stored = storedReadings(account);
    stored[1]!.timeNs = timeNs;
    assert.deepEqual(check(account, stored).faults, { ...clean, wrongTime: 1 });
  }
});

Deno.test("reading check: several readings in one ms of a coarse store are told apart", () => {
  const account = accountOf("arrival", { devices: 1, sent: 30 });
  const stored = storedReadings(account);
  for (const one of stored) one.timeNs = 5e6 + one.counter * 100_000;
  assert.deepEqual(check(account, stored, 1_000_000).faults, clean);
});

Deno.test("reading check: arrival out of order is no fault", () => {
  const account = accountOf("arrival", { devices: 1, sent: 9 });
  const stored = storedReadings(account);
  for (const one of stored) one.timeNs = (20 - one.counter) * 1e6;
  assert.deepEqual(check(account, stored).faults, clean);
});

Deno.test("reading check: only what the account knows of can be taken", () => {
  const reading = new ReadingCheck(accountOf("bench", { devices: 1, sent: 1 }), 1);
  const block = { device: 0, series: "", count: 0, timesNs: [], values: [] };
  assert.throws(() => reading.take("nonsense", block), RangeError);
  assert.throws(() => reading.take("seq", { ...block, device: 1 }), RangeError);
});
