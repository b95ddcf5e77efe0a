import assert from "node:assert/strict";
import type { Will } from "../codec/connect.ts";
import { noProperties } from "../codec/properties.ts";
import { originHashOf } from "./endpoint_options.ts";
import { EndpointStats } from "./endpoint_stats.ts";
import { FakeIntake } from "./testing.ts";
import { waitingWillsMax, Wills } from "./wills.ts";

const nobody = { publish: () => false, publishAnyway: () => true, flush: () => true };

const will = (payload: string): Will => ({
  topic: "device/1",
  payload: new TextEncoder().encode(payload),
  qos: 1,
  retain: true,
  properties: noProperties,
});

Deno.test("a will waits for credit, as itself", () => {
  const intake = new FakeIntake();
  const stats = new EndpointStats();
  const wills = new Wills(intake, nobody, stats);
  intake.credit = 0;
  wills.publish(will("a"), "A\0c");
  wills.publish(will("b"), "c");
  assert.equal(wills.waiting, 2);
  intake.grant(1);
  assert.equal(wills.waiting, 1);
  intake.grant(2);
  assert.equal(wills.waiting, 0);
  assert.deepEqual(
    intake.taken.map(({ payload, flags, origin }) => [payload, flags, origin.originHash]),
    [["a", 0b1001, originHashOf("A\0c")], ["b", 0b1001, originHashOf("c")]],
  );
  assert.equal(stats.wills, 2);
  intake.settle([0, 1]);
});

Deno.test("wills beyond the bound are dropped and counted", () => {
  const intake = new FakeIntake();
  const stats = new EndpointStats();
  const wills = new Wills(intake, nobody, stats);
  intake.credit = 0;
  for (let i = 0; i < waitingWillsMax + 3; i++) wills.publish(will("x"), `${i}`);
  assert.equal(wills.waiting, waitingWillsMax);
  assert.equal(stats.willsDropped, 3);
  assert.equal(intake.waiting, waitingWillsMax);
  assert.equal(stats.counters()["sluice_mqtt_wills_dropped_total"], 3);
});
