/**
 * The adapter that anybody would write first: mqtt.js, ajv, and the InfluxDB client's Point. What
 * Sluice is measured against; used by nothing else.
 *
 * @module
 */
import { InfluxDB, Point } from "@influxdata/influxdb-client";
import { Ajv } from "ajv";
import mqtt from "mqtt";

const [brokerUrl = "", storeUrl = "", schemaText = "true"] = Deno.args;
const say = (text: string): void => {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
};

const validate = new Ajv().compile<Record<string, number>>(JSON.parse(schemaText));
const writeApi = new InfluxDB({ url: storeUrl }).getWriteApi("", "sluice", "ms", {
  batchSize: 5_000,
  flushInterval: 100,
});
const client = mqtt.connect(brokerUrl);

client.on("connect", () => client.subscribe("bench/#", { qos: 0 }, () => say("ready")));
client.on("message", (topic, payload) => {
  let reading: unknown;
  try {
    reading = JSON.parse(payload.toString());
  } catch (error) {
    return say(`${topic}: ${error}`);
  }
  if (!validate(reading)) return say(`${topic}: ${JSON.stringify(validate.errors)}`);
  const { ts, ...fields } = reading;
  const point = new Point("bench").tag("device", topic.split("/")[1] ?? "");
  for (const [name, value] of Object.entries(fields)) point.floatField(name, value);
  writeApi.writePoint(point.timestamp(ts));
});
Deno.addSignalListener("SIGTERM", async () => {
  await client.endAsync();
  await writeApi.close();
  Deno.exit(0);
});
