/**
 * What a reading costs its owner, for a payload of 91 bytes: the parts, the whole device, and beside
 * them the way one would do it first (TextDecoder and JSON.parse), in the same run.
 *
 * @module
 */
import type { PayloadDecoder } from "./decode.ts";
import { Device } from "./device.ts";
import { Fingerprint } from "./fingerprint.ts";
import { appendPoints } from "./line_protocol_points.ts";
import { compileRoutes } from "./route_table.ts";
import { benchRoute, countUp, pointsOnly } from "./testing/bench_device.ts";
import { deviceTools, FateOutlet } from "./testing/readings.ts";
import { TopicTable } from "./topic_table.ts";

const utf8 = new TextEncoder();
const payload = utf8.encode(
  '{"temperature":20.25,"humidity":45.67,"sequence":1000500,"volts":3.3,"ts":1700000000000001}',
).slice();
const topic = utf8.encode("bench/d1");
const topics = new TopicTable(
  compileRoutes([benchRoute]),
  { gatewayId: "gw", hashSeed: 1 },
);
const found = topics.lookup(topic, 0, topic.length);
if (found.kind === "refused") throw new Error(found.rejection.reason);
const entry = found;
const { decoder } = entry.route;
const number = { type: "number", minimum: -60 };
const properties = {
  temperature: number,
  humidity: number,
  sequence: { type: "integer" },
  volts: number,
  ts: { type: "integer" },
};
/** The same payload, checked by a schema. */
function withSchema(schema: Readonly<Record<string, unknown>>): PayloadDecoder {
  const { decoder } = compileRoutes([{
    name: "bench",
    topic: "bench/{device}",
    measurement: "bench",
    timestamp: { key: "ts" },
    schema: { type: "object", required: Object.keys(properties), properties, ...schema },
  }])[0]!;
  return decoder;
}
const scanned = withSchema({ additionalProperties: false });
const byAjv = withSchema({ additionalProperties: false, maxProperties: 5 });
const strict = new TextDecoder("utf-8", { fatal: true });
const { lines } = new FateOutlet().group;
const fingerprint = new Fingerprint();
const device = new Device("d1", deviceTools());
const outlet = pointsOnly(lines);
const reading = {
  batch: { data: payload, arrivalMs: 1_700_000_000_000, seenMs: 1_700_000_000_000 },
  start: 0,
  end: payload.length,
  flags: 1,
  packetId: 1,
  originHash: 1,
  entry,
};

Deno.bench("TextDecoder and JSON.parse", { group: "decode", baseline: true }, () => {
  JSON.parse(strict.decode(payload));
});
Deno.bench("decode", { group: "decode" }, () => {
  decoder.decode(payload, 0, payload.length, entry);
});
Deno.bench("decode, with a schema that the scan decides", { group: "decode" }, () => {
  scanned.decode(payload, 0, payload.length, entry);
});
Deno.bench("decode, with a schema that ajv decides", { group: "decode" }, () => {
  byAjv.decode(payload, 0, payload.length, entry);
});
Deno.bench("line protocol", { group: "parts" }, () => {
  lines.length = 0;
  appendPoints(lines, entry, decoder, payload, 1_700_000_000_000, 1);
});
Deno.bench("fingerprint", { group: "parts" }, () => {
  fingerprint.of(payload, 0, payload.length, 1, 2);
});
Deno.bench("find the topic", { group: "parts" }, () => {
  topics.lookup(topic, 0, topic.length);
});
Deno.bench("a device takes a reading", { group: "whole" }, () => {
  countUp(payload);
  device.take(reading, outlet);
});
