import assert from "node:assert/strict";
import type { ShardSnapshot } from "../../actors/snapshot.ts";
import { findProgram, testWith } from "../testing/programs.ts";
import { metricsText } from "./metrics.ts";
import { service, shardSnapshot } from "./testing/fake_control.ts";

const use = { residentBytes: 100, cpuSeconds: 1.5 };

/** Sample lines as name{labels} → value. */
async function samples(shards: readonly ShardSnapshot[]): Promise<Map<string, number>> {
  const text = await metricsText(service, shards, use);
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => {
    const at = line.lastIndexOf(" ");
    return [line.slice(0, at), Number(line.slice(at + 1))];
  }));
}

Deno.test("every name of the contract is there", async () => {
  const text = await metricsText(service, [shardSnapshot(0)], use);
  for (
    const name of [
      "sluice_readings_received_total",
      "sluice_readings_settled_total",
      "sluice_readings_in_flight",
      "sluice_spool_readings",
      "sluice_spool_bytes",
      "sluice_settle_seconds",
      "sluice_store_seconds",
      "sluice_mailbox_depth",
      "sluice_actor_restarts_total",
      "sluice_sessions",
      "sluice_devices",
    ]
  ) {
    assert.ok(text.includes(`# TYPE ${name} `), name);
    assert.match(text, new RegExp(`^${name}(_bucket)?\\{`, "m"), name);
  }
});

Deno.test("samples carry shard, gateway and their own labels", async () => {
  const found = await samples([shardSnapshot(0), shardSnapshot(1)]);
  const value = (key: string): number | undefined => found.get(key);
  assert.equal(
    value('sluice_readings_received_total{shard="1",transport="mqtt",gateway="gw"}'),
    100,
  );
  assert.equal(
    value('sluice_readings_settled_total{shard="0",outcome="stored",gateway="gw"}'),
    80,
  );
  assert.equal(
    value(
      'sluice_readings_settled_total{shard="0",outcome="dead_lettered",reason="not_json",gateway="gw"}',
    ),
    3,
  );
  assert.equal(value('sluice_sessions{shard="0",transport="mqtt",gateway="gw"}'), 7);
  assert.equal(value('process_cpu_seconds_total{gateway="gw"}'), 1.5);
});

Deno.test("an outcome is there before its first reading", async () => {
  const settled = { stored: 0, duplicate: 0, deadLettered: {}, refused: {} };
  const found = await samples([{ ...shardSnapshot(0), settled }]);
  for (const outcome of ["stored", "duplicate", "dead_lettered", "refused"]) {
    const key = `sluice_readings_settled_total{shard="0",outcome="${outcome}",gateway="gw"}`;
    assert.equal(found.get(key), 0, outcome);
  }
});

Deno.test("buckets are cumulative and end with the count", async () => {
  const found = await samples([shardSnapshot(0)]);
  const buckets = [...found].filter(([key]) => key.startsWith("sluice_settle_seconds_bucket"));
  assert.deepEqual(buckets.map(([, value]) => value), [10, 40, 90, 93]);
  assert.ok(buckets.at(-1)?.[0].includes('le="+Inf"'));
  assert.equal(found.get('sluice_settle_seconds_count{shard="0",gateway="gw"}'), 93);
});

Deno.test("the conservation law can be read off", async () => {
  const found = await samples([shardSnapshot(0)]);
  const sum = (prefix: string): number =>
    [...found].filter(([key]) => key.startsWith(`${prefix}{`))
      .reduce((total, [, value]) => total + value, 0);
  assert.equal(
    sum("sluice_readings_received_total"),
    sum("sluice_readings_settled_total") + sum("sluice_readings_in_flight") +
      sum("sluice_spool_readings"),
  );
});

Deno.test("a hostile label value stays inside its quotes", async () => {
  const deadLettered = { 'a"} 1\nforged_total{x="': 1 };
  const shard = shardSnapshot(0);
  const text = await metricsText(service, [
    { ...shard, settled: { ...shard.settled, deadLettered } },
  ], use);
  assert.doesNotMatch(text, /^forged_total/m);
});

Deno.test("no shard answers: the metrics are still valid", async () => {
  assert.match(await metricsText(service, [], use), /^sluice_build_info\{/m);
});

testWith(["promtool"], "promtool finds nothing to complain about", async () => {
  const child = new Deno.Command(findProgram("promtool"), {
    args: ["check", "metrics"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(
    new TextEncoder().encode(await metricsText(service, [shardSnapshot(0), shardSnapshot(1)], use)),
  );
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert.equal(said, "");
  assert.equal(code, 0);
});
