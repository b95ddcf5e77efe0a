/**
 * The flags of `sim fleet`.
 *
 * @module
 */
import { type ModelName, modelNames } from "../models/model.ts";
import { choice, flag, number, type Option, type OptionValues, text } from "../options.ts";

export const fleetOptions = {
  url: text({
    default: "mqtt://127.0.0.1:1883",
    of: "URL",
    doc: "mqtt://, mqtts://, ws:// or wss://, with user:password@ when needed",
  }),
  devices: number({ default: 20, min: 1, max: 15_000, doc: "devices, a connection each" }),
  models: modelList(),
  rate: number({
    default: 1,
    min: 0.000_1,
    max: 1_000,
    integer: false,
    of: "PER_S",
    doc: "readings a second of each device",
  }),
  jitter: number({
    default: 0.2,
    min: 0,
    max: 1,
    integer: false,
    of: "SHARE",
    doc: "how much the pauses between readings differ",
  }),
  durationS: number({
    default: 0,
    min: 0,
    integer: false,
    of: "S",
    doc: "how long to go on; 0: until it is stopped",
  }),
  qos: choice([0, 1, 2], { default: 1, doc: "quality of service" }),
  protocol: choice([4, 5], { default: 4, doc: "4 is MQTT 3.1.1" }),
  seed: number({ default: 1, min: 0, max: 0xffff_ffff, doc: "decides devices and values" }),
  clientId: text({
    default: "sim-fleet",
    of: "NAME",
    doc: "start of the client ids; the device's number follows",
  }),
  ca: text({
    default: undefined,
    of: "FILE",
    defaultDoc: "the system's",
    doc: "certificate authorities for mqtts:// and wss://, PEM",
  }),
  json: flag({ doc: "print the totals as one line of JSON on stdout" }),
  quiet: flag({ doc: "no progress on stderr" }),
} as const;

export type FleetOptions = OptionValues<typeof fleetOptions>;

function modelList(): Option<readonly ModelName[]> {
  return {
    placeholder: "NAME,…",
    default: modelNames,
    defaultDoc: modelNames.join(","),
    doc: "models that the devices take turns with",
    parse(value) {
      return value.split(",").map((name) => {
        const found = modelNames.find((known) => known === name);
        if (found === undefined) throw new RangeError(`must be of ${modelNames.join(", ")}`);
        return found;
      });
    },
  };
}
