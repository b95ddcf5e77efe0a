import assert from "node:assert/strict";
import { keepAlive } from "../actors/rates/testing/keep_alive.ts";
import { parseConfig } from "../config.ts";
import { metricsText } from "../gateways/http/metrics.ts";
import { service, shardSnapshot } from "../gateways/http/testing/fake_control.ts";
import { PubSubStats } from "../gateways/mqtt/pubsub/pubsub_stats.ts";
import { ManualClock } from "../runtime/clock.ts";
import { eventLoopTurn } from "../runtime/event_loop_turn.ts";
import { Guard, GuardMemory } from "./guard.ts";

const rates = { device: { messages: "20:1" } };
const { config } = await parseConfig({ limits: { rates, flapping: { client: "1:60" } } });
const gone = { account: "", clientId: "c", address: "10.0.0.1" };

function guard(report: (key: string) => boolean, clock = new ManualClock()) {
  const memory = new GuardMemory(config, 1);
  return new Guard(memory.init(), config, 0, ({ key }) => report(key), clock);
}

Deno.test("a ban is reported once, and every connection that it is in the way of is counted", () => {
  const reported: string[] = [];
  const it = guard((key) => reported.push(key) > 0);
  for (let i = 0; i < 2; i++) it.ended(gone);
  assert.deepEqual(reported, ["client::c"]);
  assert.ok(it.banned(gone) > 0);
  assert.ok(it.bannedUntilMs(gone) > 0);
  assert.equal(it.banned({ ...gone, clientId: "d" }), 0);
  const counters = it.counters();
  assert.equal(counters['sluice_connections_refused_total{reason="banned"}'], 1);
  assert.equal(counters['sluice_bans_total{subject="client"}'], 1);
});

Deno.test("who watches is told of a ban at once, and of all that follow soon after it together", async () => {
  using _alive = keepAlive();
  const clock = new ManualClock();
  const it = guard(() => true, clock);
  let told = 0;
  let heard = Promise.withResolvers<void>();
  it.watchBans(() => {
    told++;
    heard.resolve();
  });
  const ban = (clientId: string) => {
    for (let i = 0; i < 2; i++) it.ended({ ...gone, clientId });
  };
  ban("a");
  await heard.promise;
  heard = Promise.withResolvers();
  for (const clientId of ["b", "c", "d"]) ban(clientId);
  await eventLoopTurn();
  assert.equal(told, 1);
  clock.advance(1_000);
  await heard.promise;
  assert.equal(told, 2);
});

Deno.test("limits of accounts are those that were told last; all of them take the place of the others", () => {
  const it = guard(() => true);
  it.setLimits([{ name: "a", limits: { retainedMax: 1 } }, { name: "b", limits: {} }], false);
  it.setLimits([{ name: "c", limits: { messages: "1:1" } }], false);
  const own = () => [...it.limits].map(({ name }) => name);
  assert.deepEqual(own(), ["a", "c"]);
  it.setLimits([{ name: "a", limits: { retainedMax: 2 } }], true);
  assert.deepEqual([own(), it.limits.of("a")], [["a"], { retainedMax: 2 }]);
  it.setLimits([{ name: "a", limits: {} }], false);
  assert.deepEqual(own(), []);
});

Deno.test("the alert rules ask only for metrics that are there", async () => {
  const rules = await Deno.readTextFile(
    new URL("../deploy/prometheus/alerts.yml", import.meta.url),
  );
  const snapshot = shardSnapshot(0);
  const counters = {
    ...snapshot.counters,
    ...guard(() => true).counters(),
    ...new PubSubStats().counters(),
  };
  const use = { residentBytes: 1, cpuSeconds: 1 };
  const text = await metricsText(service, [{ ...snapshot, counters }], use);
  const names = new Set(rules.match(/\bsluice_\w+/g));
  assert.ok(names.size > 9);
  for (const name of names) assert.ok(text.includes(`# TYPE ${name} `), name);
});
