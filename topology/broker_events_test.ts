import assert from "node:assert/strict";
import { ManualClock } from "../runtime/clock.ts";
import { brokerEvents } from "./broker_events.ts";

Deno.test("a broker that stays away is told once, for each reason, and once a minute", () => {
  const clock = new ManualClock();
  const told: string[] = [];
  const tell = (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
    told.push(`${message}: ${fields.reason ?? ""} ${fields.tries ?? ""}`.trim());
  };
  const log = { info: tell, warn: tell, error: tell };
  const events = brokerEvents("mqtt://h:1883", { log, clock, looped: () => {} });
  const away = (reason: string, seconds: number): void => {
    for (let i = 0; i < seconds; i++) {
      events.failed(reason);
      clock.advance(1_000);
    }
  };
  const trying = "no connection; trying again every second";
  away("refused", 121);
  assert.deepEqual(told, [
    `${trying}: refused 1`,
    `${trying}: refused 61`,
    `${trying}: refused 121`,
  ]);
  told.length = 0;
  away("not authorized", 2);
  events.connected(false);
  away("not authorized", 2);
  assert.deepEqual(told, [
    `${trying}: not authorized 122`,
    "connected:",
    `${trying}: not authorized 1`,
  ]);
});
