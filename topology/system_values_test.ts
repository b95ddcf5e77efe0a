import assert from "node:assert/strict";
import { emptySnapshot } from "../actors/empty_snapshot.ts";
import type { ShardSnapshot } from "../actors/snapshot.ts";
import { SystemValues } from "./system_values.ts";

function snapshotOf(shard: number, received: number): ShardSnapshot {
  return {
    ...emptySnapshot(shard),
    sessions: { mqtt: 2, ws: 1 },
    counters: {
      sluice_mqtt_publish_received_total: received,
      sluice_mqtt_packets_received_total: received + 7,
      sluice_mqtt_packets_sent_total: 5,
      sluice_pubsub_delivered_total: 20,
      sluice_pubsub_released_total: 2,
      sluice_pubsub_lost_full_total: 3,
      sluice_pubsub_lost_expired_total: 1,
    },
    gauges: { sluice_pubsub_subscriptions: 5, sluice_sessions_disconnected: shard === 0 ? 4 : 0 },
  };
}

Deno.test("figures of all shards, and loads as averages over minutes", () => {
  const system = new SystemValues();
  const now = { version: "1.2.3", startedMs: 1_000, nowMs: 61_999 };
  const first = system.of([snapshotOf(0, 100), snapshotOf(1, 20)], now);
  assert.equal(first["$SYS/broker/version"], "sluice version 1.2.3");
  assert.equal(first["$SYS/broker/uptime"], "60 seconds");
  assert.equal(first["$SYS/broker/clients/connected"], "6");
  assert.equal(first["$SYS/broker/clients/disconnected"], "4");
  assert.equal(first["$SYS/broker/clients/total"], "10");
  assert.equal(first["$SYS/broker/subscriptions/count"], "10");
  assert.equal(first["$SYS/broker/messages/received"], "134");
  assert.equal(first["$SYS/broker/messages/sent"], "54");
  assert.equal(first["$SYS/broker/publish/messages/received"], "120");
  assert.equal(first["$SYS/broker/publish/messages/dropped"], "8");
  assert.equal(first["$SYS/broker/load/publish/received/1min"], "0.00");
  // 60 more within a minute: after one span an average has come 63 % of the way.
  const next = system.of([snapshotOf(0, 160), snapshotOf(1, 20)], { ...now, nowMs: 121_999 });
  const load = (span: number) => Number(next[`$SYS/broker/load/publish/received/${span}min`]);
  assert.deepEqual([load(1), load(5), load(15)], [37.93, 10.88, 3.87]);
  assert.equal(system.of([], { ...now, nowMs: 181_999 })["$SYS/broker/clients/maximum"], "6");
});
