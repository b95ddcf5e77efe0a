/**
 * `GET /metrics`: the shards' snapshots in the form of Prometheus. The text is made by prom-client,
 * from plain data, as it does for the workers of a cluster.
 *
 * @module
 */
import { memoryUsage, resourceUsage } from "node:process";
import { AggregatorRegistry } from "prom-client";
import type { HistogramSnapshot, ShardSnapshot } from "../../actors/snapshot.ts";
import type { ServiceInfo } from "./control.ts";
import { helpOf } from "./metric_help.ts";

type Labels = Readonly<Record<string, string | number>>;

/** One sample: its labels, its value, and its name where that differs from the family's. */
interface Sample {
  readonly labels: Labels;
  readonly value: number;
  readonly metricName?: string;
}

/** All samples of one name, as prom-client's `getMetricsAsJSON` has them. */
interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly values: readonly Sample[];
  readonly aggregator: "sum";
}

/** What the process itself uses. */
export interface ProcessUse {
  readonly residentBytes: number;
  readonly cpuSeconds: number;
}

/** Reads what this process uses now. */
export function processUse(): ProcessUse {
  const { userCPUTime, systemCPUTime } = resourceUsage();
  return { residentBytes: memoryUsage.rss(), cpuSeconds: (userCPUTime + systemCPUTime) / 1e6 };
}

/** The media type of {@linkcode metricsText}. */
export const metricsType = AggregatorRegistry.PROMETHEUS_CONTENT_TYPE;

/**
 * The metrics of contracts.md, section 4, with label `gateway` on every sample.
 *
 * @param counters of the main thread, by their names.
 */
export function metricsText(
  service: ServiceInfo,
  shards: readonly ShardSnapshot[],
  use: ProcessUse,
  counters: Readonly<Record<string, number>> = {},
): Promise<string> {
  const families = [
    ...readingFamilies(shards),
    ...furtherFamilies(shards, counters),
    ...own(service, use),
  ];
  const registry = AggregatorRegistry.aggregate([families]);
  registry.setDefaultLabels({ gateway: service.gateway });
  return registry.metrics();
}

const nameOf = ({ shard, name }: ShardSnapshot): string => name ?? String(shard);

function readingFamilies(shards: readonly ShardSnapshot[]): Family[] {
  const each = (samples: (shard: ShardSnapshot) => readonly Sample[]): Sample[] =>
    shards.flatMap((shard) =>
      samples(shard).map((sample) => ({
        ...sample,
        labels: { shard: nameOf(shard), ...sample.labels },
      }))
    );
  const one = (value: (shard: ShardSnapshot) => number): Sample[] =>
    each((shard) => [{ labels: {}, value: value(shard) }]);
  return [
    counter(
      "sluice_readings_received_total",
      each(({ received }) => samplesBy("transport", received)),
    ),
    counter(
      "sluice_readings_settled_total",
      each(({ settled }) => [
        { labels: { outcome: "stored" }, value: settled.stored },
        { labels: { outcome: "duplicate" }, value: settled.duplicate },
        ...withReasons("dead_lettered", settled.deadLettered),
        ...withReasons("refused", settled.refused),
      ]),
    ),
    gauge("sluice_readings_in_flight", one(({ inFlight }) => inFlight)),
    gauge("sluice_spool_readings", one(({ spoolReadings }) => spoolReadings)),
    gauge("sluice_spool_bytes", one(({ spoolBytes }) => spoolBytes)),
    histogram("sluice_settle_seconds", shards, ({ settleSeconds }) => settleSeconds),
    histogram("sluice_store_seconds", shards, ({ storeSeconds }) => storeSeconds),
    gauge("sluice_mailbox_depth", each(({ mailboxDepth }) => samplesBy("kind", mailboxDepth))),
    counter(
      "sluice_actor_restarts_total",
      each(({ mailboxDepth, restarts }) => {
        const none = Object.keys(mailboxDepth).map((kind) => [kind, 0] as const);
        return samplesBy("kind", { ...Object.fromEntries(none), ...restarts });
      }),
    ),
    gauge("sluice_sessions", each(({ sessions }) => samplesBy("transport", sessions))),
    gauge("sluice_devices", each(({ devices }) => samplesBy("state", { ...devices }))),
    gauge("sluice_shard_ready", one(({ notReady }) => notReady.length === 0 ? 1 : 0)),
  ];
}

/** Counters and gauges that the threads name themselves. */
function furtherFamilies(
  shards: readonly ShardSnapshot[],
  main: Readonly<Record<string, number>>,
): Family[] {
  const gather = (
    threads: readonly (readonly [string, Readonly<Record<string, number>>])[],
    make: (name: string, values: readonly Sample[]) => Family,
  ): Family[] => {
    const byName = new Map<string, Sample[]>();
    for (const [thread, values] of threads) {
      for (const [name, value] of Object.entries(values)) {
        const { family, labels } = labelled(name);
        const samples = byName.get(family) ?? [];
        samples.push({ labels: { shard: thread, ...labels }, value });
        byName.set(family, samples);
      }
    }
    return [...byName].map(([name, samples]) => make(name, samples));
  };
  return [
    ...gather([...shards.map((of) => [nameOf(of), of.counters] as const), ["main", main]], counter),
    ...gather(shards.map((of) => [nameOf(of), of.gauges] as const), gauge),
  ];
}

/** `sluice_x_total{reason="full"}` in its parts; most names have no label. */
function labelled(name: string): { readonly family: string; readonly labels: Labels } {
  const [, family = name, label, value = ""] = /^(\w+)\{(\w+)="(\w+)"\}$/.exec(name) ?? [];
  return { family, labels: label === undefined ? {} : { [label]: value } };
}

function own(service: ServiceInfo, use: ProcessUse): Family[] {
  const build = { version: service.version, deno: Deno.version.deno };
  return [
    gauge("sluice_build_info", [{ labels: build, value: 1 }]),
    gauge("process_resident_memory_bytes", [{ labels: {}, value: use.residentBytes }]),
    counter("process_cpu_seconds_total", [{ labels: {}, value: use.cpuSeconds }]),
    gauge("process_start_time_seconds", [{ labels: {}, value: service.startedMs / 1000 }]),
  ];
}

function counter(name: string, values: readonly Sample[]): Family {
  return { name, help: helpOf(name), type: "counter", values, aggregator: "sum" };
}

function gauge(name: string, values: readonly Sample[]): Family {
  return { name, help: helpOf(name), type: "gauge", values, aggregator: "sum" };
}

function histogram(
  name: string,
  shards: readonly ShardSnapshot[],
  of: (shard: ShardSnapshot) => HistogramSnapshot,
): Family {
  const values = shards.flatMap((shard) => {
    const { bounds, counts, sum } = of(shard);
    const labels = { shard: nameOf(shard) };
    let total = 0;
    const buckets = counts.map((count, i) => {
      total += count;
      const le = bounds[i] ?? "+Inf";
      return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: total };
    });
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: sum },
      { metricName: `${name}_count`, labels, value: total },
    ];
  });
  return { name, help: helpOf(name), type: "histogram", values, aggregator: "sum" };
}

const samplesBy = (
  label: string,
  values: Readonly<Partial<Record<string, number>>>,
): Sample[] =>
  Object.entries(values).map(([key, value]) => ({ labels: { [label]: key }, value: value ?? 0 }));

/** Without any reason yet, one sample of 0, so that the outcome is there from the start. */
function withReasons(outcome: string, reasons: Readonly<Record<string, number>>): Sample[] {
  const samples = Object.entries(reasons)
    .map(([reason, value]) => ({ labels: { outcome, reason }, value }));
  return samples.length === 0 ? [{ labels: { outcome }, value: 0 }] : samples;
}
