/**
 * Payloads as devices in the field send them (testdata/device_payloads.jsonl, each with its source),
 * under the routes one would configure for them.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { CodePoint, CodeReading, DeviceCode } from "./device_code.ts";
import { Device } from "./device.ts";
import { compileRoutes } from "./route_table.ts";
import { deviceTools, FateOutlet, readingOf } from "./testing/readings.ts";
import { TopicTable } from "./topic_table.ts";

const arrivalMs = 1_700_000_000_000;

const routes = [
  {
    name: "zigbee",
    topic: "zigbee2mqtt/{device}",
    measurement: "zigbee2mqtt",
    tags: { device: "{device}" },
  },
  {
    name: "tasmota",
    topic: "tele/{device}/+",
    measurement: "tasmota",
    tags: { device: "{device}" },
    fields: { flatten: true },
    timestamp: { key: "Time", zone: "Europe/Berlin" },
    unparsable: "ignore",
  },
  {
    name: "ttn",
    topic: "v3/{app}@ttn/devices/{device}/up",
    measurement: "ttn",
    tags: { app: "{app}", device: "{device}" },
    fields: { from: ["/uplink_message", "/uplink_message/decoded_payload"], exclude: ["f_port"] },
    timestamp: { key: "received_at" },
  },
  {
    name: "owntracks",
    topic: "owntracks/{user}/{device}/#",
    measurement: "owntracks",
    tags: { user: "{user}", device: "{device}" },
    payloadTags: { _type: "_type" },
    fields: { exclude: ["wtst"] },
    timestamp: { key: "tst", format: "s" },
  },
  { name: "ruuvi", topic: "ruuvi/{gw}", measurement: "ruuvi", module: "ruuvi" },
  {
    name: "hass",
    topic: "homeassistant/{domain}/{entity}/{attr}",
    measurement: "hass",
    tags: { domain: "{domain}", entity: "{entity}", attr: "{attr}" },
    fields: { bare: "value" },
    unparsable: "ignore",
  },
  {
    name: "homie",
    topic: "homie/5/{device}/{node}/{property}",
    device: "{device}",
    measurement: "homie",
    tags: { device: "{device}", node: "{node}" },
    fields: { bare: "{property}" },
    unparsable: "ignore",
  },
];

/** RuuviTag data format 5, as its gateway relays it: what needs code instead of configuration. */
class Ruuvi implements DeviceCode {
  onReading(reading: CodeReading, emit: (point: CodePoint) => void): void {
    const { data } = JSON.parse(new TextDecoder().decode(reading.payload));
    for (
      const [mac, tag] of Object.entries<{ rssi: number; timestamp: number; data: string }>(
        data.tags,
      )
    ) {
      const bytes = new DataView(Uint8Array.fromHex(tag.data).buffer);
      const start = 7; // Behind the advertisement's flags, length, type and manufacturer.
      emit({
        tags: { mac, gw: data.gw_mac },
        fields: {
          rssi: tag.rssi,
          temperature: bytes.getInt16(start + 1) / 200,
          humidity: bytes.getUint16(start + 3) / 400,
          pressure: bytes.getUint16(start + 5) + 50_000,
        },
        time: tag.timestamp * 1000,
      });
    }
  }
}

interface Sample {
  readonly family: string;
  readonly topic: string;
  readonly payload: string;
  readonly expect: {
    readonly measurement: string;
    readonly tags: Record<string, string>;
    readonly fields: Record<string, number>;
    readonly time: string | number;
  }[];
}

const samples: Sample[] = Deno.readTextFileSync(
  new URL("./testdata/device_payloads.jsonl", import.meta.url),
).trim().split("\n").map((line) => JSON.parse(line));

/** The samples' words for a time, as ns. */
function timeOf(time: string | number, payload: string): string {
  if (time === "arrival") return `${arrivalMs}000000`;
  if (typeof time === "number") return `${time}000000000`;
  // Tasmota: local time without a zone, which the route says is Berlin's.
  const text = time.startsWith("Time") ? `${JSON.parse(payload).Time}+01:00` : time;
  return `${Date.parse(text)}000000`;
}

function parse(line: string) {
  const [series = "", fields = "", time = ""] = line.split(" ");
  const [measurement, ...tags] = series.split(",");
  const pairs = (texts: string[]) => texts.map((text) => text.split("="));
  return {
    measurement,
    tags: Object.fromEntries(pairs(tags)),
    fields: Object.fromEntries(
      pairs(fields.split(",")).map(([key, value]) => [key, Number(value)]),
    ),
    time,
  };
}

samples.forEach((sample, i) => {
  Deno.test(`payload ${i + 1} of the field: ${sample.family} ${sample.topic}`, () => {
    const { payload, expect } = sample;
    const topic = sample.topic === "HTTP POST" ? "ruuvi/gw" : sample.topic;
    const topics = new TopicTable(
      compileRoutes(routes, { gatewayTag: false, builtinOff: ["station", "position", "device"] }),
      { gatewayId: "gw", hashSeed: 1 },
    );
    const bytes = new TextEncoder().encode(topic);
    const entry = topics.lookup(bytes, 0, bytes.length);
    if (entry.kind === "refused") {
      assert.deepEqual(expect, []);
      return;
    }
    const outlet = new FateOutlet();
    const code = entry.route.name === "ruuvi" ? new Ruuvi() : undefined;
    new Device("d", deviceTools()).take(readingOf(entry, payload, { arrivalMs }), outlet, code);
    const { fate } = outlet;
    if (expect.length === 0) {
      assert.equal(fate?.kind, "refused", JSON.stringify(fate));
      return;
    }
    assert.ok(fate?.kind === "points", JSON.stringify(fate));
    assert.deepEqual(
      fate.lines.map(parse),
      expect.map(({ measurement, tags, fields, time }) => ({
        measurement,
        tags,
        fields,
        time: timeOf(time, payload),
      })),
    );
  });
});
