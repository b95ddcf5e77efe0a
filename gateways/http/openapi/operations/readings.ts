/**
 * Operations on devices and readings.
 *
 * @module
 */
import { aggregates, limitMax } from "../../../store/readings_query.ts";
import { presences } from "../../control.ts";
import { readingTypes } from "../../ingest/items.ts";
import { precisions } from "../../ingest/line_item.ts";
import {
  type Content,
  header,
  integerFrom,
  json,
  noContent,
  page,
  query,
  ref,
  table,
  text,
} from "../operation.ts";

const examples: Readonly<Record<ReturnType<typeof kindOf>, Content>> = {
  json: {
    schema: ref("Readings"),
    example: [{ uuid: "meter-1", value: 7 }, {
      topic: "UPB/RPi_1",
      payload: { TMP: 25.3, timestamp: "2019-11-26T03:54:20+03:00" },
    }],
  },
  geojson: {
    schema: ref("Readings"),
    example: {
      type: "Feature",
      geometry: { type: "Point", coordinates: [26.1, 44.4] },
      properties: { fleet: "bus", vehicle: "7" },
    },
  },
  lines: { schema: text, example: '{"uuid":"meter-1","value":7}\n{"uuid":"meter-2","value":8}\n' },
  lineProtocol: { schema: text, example: "air,room=7 temp=21.5 1700000000000000000\n" },
};

function kindOf(type: string): "json" | "geojson" | "lines" | "lineProtocol" {
  if (/line-protocol|text/.test(type)) return "lineProtocol";
  if (/jsonl|ndjson|-seq/.test(type)) return "lines";
  return type.includes("geo") ? "geojson" : "json";
}

export const idempotencyKey = header(
  "Idempotency-Key",
  "Names the request, so that it can be sent again without making anything twice.",
  { type: "string", pattern: "^[\\x21-\\x7e]{1,255}$" },
);
export const contentEncoding = header("Content-Encoding", "Of the body.", {
  enum: ["gzip", "x-gzip", "identity"],
});

const tag = "readings";
const time = "RFC 3339 with a zone, or seconds, ms, µs or ns since the epoch";

/** Devices and what they measure; answered by the main thread. */
export const historyOperations = table({
  getDevices: {
    method: "GET",
    path: "/api/devices",
    tag,
    summary: "Devices with their last values, presence, counters, last error",
    access: "reader",
    parameters: [
      ...page,
      query("presence", "Only those.", { enum: presences }),
      query("prefix", "Only those whose ids begin so."),
      query("contains", "Only those whose ids have it somewhere, in upper or lower case."),
    ],
    answers: [json("A page, in the order of ids.", ref("DevicePage"))],
    problems: ["unavailable"],
  },
  getDevice: {
    method: "GET",
    path: "/api/devices/{id}",
    tag,
    summary: "One device",
    access: "device",
    parameters: [{
      in: "path",
      name: "id",
      doc: "A slash in it as it is, or as `%2F`.",
      schema: text,
      rest: true,
    }],
    answers: [json("The device.", ref("Device"))],
    problems: ["not-found", "unavailable"],
  },
  getReadings: {
    method: "GET",
    path: "/api/readings",
    tag,
    summary: "History from the embedded store",
    access: "device",
    parameters: [
      query("device", "Only this one, by its id."),
      query("metric", "Only this one."),
      query("from", `${time}; included.`),
      query("to", `${time}; excluded.`),
      query("every", "One value per stretch of time: `10s`, `5m`, `1h`, `1d`."),
      query("agg", "How the values of a stretch become one.", { enum: aggregates }),
      query("limit", "Items of a page.", { ...integerFrom(1, limitMax), default: 1_000 }),
      query("sort", "By time.", { enum: ["asc", "desc"], default: "asc" }),
      query("cursor", "The `next` of the page before."),
    ],
    answers: [json("A page.", ref("PointPage"))],
    problems: ["history-damaged", "history-elsewhere", "unavailable"],
  },
});

/** The same, where readings pass; answered by the HTTP edge. */
export const readingOperations = table({
  postReadings: {
    method: "POST",
    path: "/api/readings",
    tag,
    summary: "Takes readings in",
    doc:
      "One or many. The answer comes when each is settled. Those that are not taken are named. " +
      "A weather station's payload may hold the token, as `token`, in place of the header.",
    access: "sender",
    parameters: [
      query("topic", "Of every item. Without it an item's topic follows from what it is."),
      query("precision", "Of the times in line protocol.", {
        enum: Object.keys(precisions),
        default: "ns",
      }),
      header("Sluice-Topic", "The same as `topic`."),
      idempotencyKey,
      contentEncoding,
    ],
    body: {
      required: true,
      content: Object.fromEntries(readingTypes.map((type) => [type, examples[kindOf(type)]])),
    },
    answers: [noContent("Every item is settled.")],
    problems: [
      "invalid-header",
      "rejected-items",
      "backpressure",
      "rate-limited",
      "not-settled",
      "not-ready",
      "unavailable",
    ],
  },
  getLive: {
    method: "GET",
    path: "/api/live",
    tag,
    summary: "Follows devices",
    doc: "First the state of every device, then of each that changes: the latest state, never a " +
      "queue of them.",
    access: "device",
    parameters: [
      query("device", "Only this one."),
      query("prefix", "Only those whose ids begin so."),
      query("metric", "Only this value."),
      query("format", "`geojson`: devices with `lat` and `lon` as Features.", {
        enum: ["json", "geojson"],
        default: "json",
      }),
      query("every", "The least time between two updates, `200ms` to `60m`.", {
        type: "string",
        pattern: "^\\d{1,7}(ms|s|m)$",
        default: "1s",
      }),
      header("Last-Event-ID", "Goes on behind this event."),
    ],
    answers: [{
      status: 200,
      doc: "Events without end.",
      content: {
        "text/event-stream": {
          schema: text,
          events: {
            reading: ref("LiveState"),
            presence: ref("LiveState"),
            feature: ref("LiveFeature"),
            tally: ref("LiveTally"),
          },
        },
      },
    }],
    problems: ["not-ready", "unavailable"],
  },
});
