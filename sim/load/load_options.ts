/**
 * The flags of `sim load`.
 *
 * @module
 */
import { accountFile } from "../account.ts";
import { loadModelNames, loadModels } from "../load_model.ts";
import { choice, flag, number, type OptionValues, text } from "../options.ts";

export const loadOptions = {
  url: text({
    default: "mqtt://127.0.0.1:1883",
    of: "URL",
    doc: "mqtt(s)://, with user:password@ when needed; ws(s):// speaks as stations do; " +
      "http(s):// posts",
  }),
  model: choice(loadModelNames, {
    default: "station",
    doc: `what is sent${
      loadModelNames.map((name) => `\n      ${name}: ${loadModels[name].doc}`).join("")
    }\n     `,
  }),
  topic: text({
    default: undefined,
    of: "TOPIC",
    defaultDoc: "the model's",
    doc: "topic, with {n} for the device's number",
  }),
  connections: number({
    default: 10,
    min: 1,
    max: 60_000,
    doc: "connections; over HTTP, requests at once",
  }),
  devices: number({
    default: undefined,
    min: 1,
    max: 10_000_000,
    defaultDoc: "as many as connections",
    doc: "devices, divided among the connections",
  }),
  rate: number({
    default: 0,
    min: 0,
    integer: false,
    of: "PER_S",
    doc: "messages a second in all, sent whatever the server does; 0: flat out",
  }),
  tickMs: number({
    default: 0.5,
    min: 0.5,
    max: 100,
    integer: false,
    of: "MS",
    doc: "messages that fall due within this are sent together; above 20 it costs far less CPU, " +
      "and latencies are not exact",
  }),
  durationS: number({ default: 10, min: 0.1, integer: false, of: "S", doc: "how long to send" }),
  count: number({
    default: undefined,
    min: 1,
    defaultDoc: "no limit",
    doc: "stop after so many messages, even before the duration is over",
  }),
  qos: choice([0, 1, 2], { default: 1, doc: "quality of service, of MQTT" }),
  window: number({
    default: 100,
    min: 1,
    max: 65_535,
    doc: "most messages in flight on each connection; over HTTP, in a request",
  }),
  protocol: choice([4, 5], { default: 4, doc: "4 is MQTT 3.1.1" }),
  seed: number({ default: 1, min: 0, max: 0xffff_ffff, doc: "decides the values" }),
  startMs: number({
    default: undefined,
    min: 1_000_000_000_000,
    max: 9_000_000_000_000,
    of: "MS",
    defaultDoc: "now",
    doc: "time of each device's first reading, ms since the epoch",
  }),
  stepMs: number({
    default: undefined,
    min: 1,
    max: 86_400_000,
    of: "MS",
    defaultDoc: "what fits the rate, at least 1",
    doc: "time from a device's reading to its next",
  }),
  poisonEvery: number({
    default: 0,
    min: 0,
    max: 1_000_000_000,
    doc: "every so many-th message of a device is not JSON; 0: none",
  }),
  account: text({
    default: accountFile,
    of: "FILE",
    doc: "where to keep what was acknowledged, for `sim verify`",
  }),
  clientId: text({
    default: "sim-load",
    of: "NAME",
    doc: "start of the client ids; the connection's number follows",
  }),
  keepAliveS: number({ default: 60, min: 0, max: 65_535, of: "S", doc: "0 switches it off" }),
  drainS: number({
    default: 30,
    min: 0,
    integer: false,
    of: "S",
    doc: "how long to wait for the last acknowledgements",
  }),
  giveUpS: number({
    default: 60,
    min: 0,
    integer: false,
    of: "S",
    doc: "how long a connection that broke is tried again",
  }),
  token: text({
    default: undefined,
    of: "TOKEN",
    doc: "what POST /login gave, for ws(s):// and http(s)://",
    defaultDoc: "none",
  }),
  ca: text({
    default: undefined,
    of: "FILE",
    defaultDoc: "the system's",
    doc: "certificate authorities for mqtts://, wss:// and https://, PEM",
  }),
  json: flag({ doc: "print the report as one line of JSON on stdout" }),
  quiet: flag({ doc: "no progress on stderr" }),
} as const;

export type LoadOptions = OptionValues<typeof loadOptions>;
