/**
 * What the topics below `$SYS` say: names as Mosquitto has them, figures of all shards together.
 *
 * @module
 */
import type { ShardSnapshot } from "../actors/snapshot.ts";

/** Minutes over which loads are averaged. */
const spans = [1, 5, 15] as const;

/** Counters that are published, and as loads for each minute. */
const counted = {
  "publish/messages/received": "sluice_mqtt_publish_received_total",
  "publish/messages/sent": "sluice_pubsub_delivered_total",
  "bytes/received": "sluice_mqtt_bytes_received_total",
  "bytes/sent": "sluice_mqtt_bytes_sent_total",
} as const;

/** Counters that are published as a sum. */
const summed = {
  "messages/received": ["sluice_mqtt_packets_received_total"],
  "messages/sent": [
    "sluice_mqtt_packets_sent_total",
    "sluice_pubsub_delivered_total",
    "sluice_pubsub_released_total",
  ],
} as const;

/** The same as loads; `connections` are accepted ones. */
const loads = {
  "publish/received": counted["publish/messages/received"],
  "publish/sent": counted["publish/messages/sent"],
  "bytes/received": counted["bytes/received"],
  "bytes/sent": counted["bytes/sent"],
  "connections": "sluice_mqtt_connections_accepted_total",
} as const;

/** Messages that were given up, whatever the reason. */
const lostPattern = /^sluice_pubsub_lost_\w+_total$/;

/** What each call is told of the service. */
export interface SystemNow {
  readonly version: string;
  readonly startedMs: number;
  readonly nowMs: number;
}

/** Keeps what averages need from one call to the next. */
export class SystemValues {
  #beforeMs: number | undefined;
  readonly #before = new Map<string, number>();
  readonly #averages = new Map<string, number>();
  #clientsMax = 0;

  /** All values, by topic. */
  of(
    snapshots: readonly ShardSnapshot[],
    { version, startedMs, nowMs }: SystemNow,
  ): Record<string, string> {
    const counter = (name: string): number =>
      snapshots.reduce((sum, { counters }) => sum + (counters[name] ?? 0), 0);
    const gauge = (name: string): number =>
      snapshots.reduce((sum, { gauges }) => sum + (gauges[name] ?? 0), 0);
    const connected = snapshots.reduce(
      (sum, { sessions }) => sum + (sessions.mqtt ?? 0) + (sessions.ws ?? 0),
      0,
    );
    this.#clientsMax = Math.max(this.#clientsMax, connected);
    const disconnected = gauge("sluice_sessions_disconnected");
    let dropped = 0;
    for (const { counters } of snapshots) {
      for (const [name, count] of Object.entries(counters)) {
        if (lostPattern.test(name)) dropped += count;
      }
    }
    const values: Record<string, string> = {
      "version": `sluice version ${version}`,
      "uptime": `${Math.max(0, Math.floor((nowMs - startedMs) / 1_000))} seconds`,
      "clients/connected": String(connected),
      "clients/maximum": String(this.#clientsMax),
      "clients/disconnected": String(disconnected),
      "clients/total": String(connected + disconnected),
      "subscriptions/count": String(gauge("sluice_pubsub_subscriptions")),
      "retained messages/count": String(gauge("sluice_retained_messages")),
      "publish/messages/dropped": String(dropped),
    };
    for (const [topic, name] of Object.entries(counted)) values[topic] = String(counter(name));
    for (const [topic, names] of Object.entries(summed)) {
      values[topic] = String(names.reduce((sum, name) => sum + counter(name), 0));
    }
    for (const [topic, name] of Object.entries(loads)) {
      for (const [span, average] of this.#load(name, counter(name), nowMs)) {
        values[`load/${topic}/${span}min`] = average.toFixed(2);
      }
    }
    this.#beforeMs = nowMs;
    return Object.fromEntries(
      Object.entries(values).map(([topic, value]) => [`$SYS/broker/${topic}`, value]),
    );
  }

  /** For each minute, averaged with exponential weights over the spans. */
  #load(name: string, count: number, nowMs: number): (readonly [number, number])[] {
    const before = this.#before.get(name);
    this.#before.set(name, count);
    const minutes = this.#beforeMs === undefined ? 0 : (nowMs - this.#beforeMs) / 60_000;
    return spans.map((span) => {
      const key = `${name} ${span}`;
      const average = this.#averages.get(key) ?? 0;
      if (before === undefined || minutes <= 0) return [span, average];
      // A shard that was started anew may have fewer for a moment.
      const rate = Math.max(0, count - before) / minutes;
      const next = rate + (average - rate) * Math.exp(-minutes / span);
      this.#averages.set(key, next);
      return [span, next];
    });
  }
}
