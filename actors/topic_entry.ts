/**
 * Works out, once per topic, all that a topic says about its readings.
 *
 * @module
 */
import { hashBytes } from "./fingerprint.ts";
import {
  escapeMeasurement,
  escapeMeasurementStart,
  escapeTag,
  isWritableName,
} from "./line_protocol.ts";
import type { Rejection } from "./intake.ts";
import { type LineSeries, seriesKey, seriesOfLevel } from "./line_series.ts";
import type { CompiledRoute } from "./route.ts";

const utf8 = new TextEncoder();
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What a topic means, before it has a place in a table. */
export interface TopicMeaning {
  readonly topic: string;
  readonly route: CompiledRoute;
  readonly deviceId: string;
  readonly deviceHash: number;
  readonly identity: string | undefined;
  readonly scalar: string | undefined;
  readonly unwritable: boolean;
  /** The line's start up to the metric, and from there to the tags' end, as line protocol. */
  readonly head: Uint8Array;
  readonly tail: Uint8Array;
}

const refuse = (reason: string, detail: string): Rejection => ({
  outcome: "refused",
  reason,
  detail,
});

/** The topic as text, or why it is none [MQTT-1.5.4-1, 1.5.4-2, 3.3.2-2, 4.7.3-1]. */
function topicText(bytes: Uint8Array): string | Rejection {
  let topic: string;
  try {
    topic = strict.decode(bytes);
  } catch {
    return refuse("invalid_topic", "the topic is not valid UTF-8");
  }
  if (topic === "") return refuse("invalid_topic", "the topic is empty");
  if (/[\0\n+#]/.test(topic)) {
    return refuse("invalid_topic", "the topic holds a NUL, a newline or a wildcard");
  }
  return topic;
}

/** No path of a URL names `.` or `..`: such an id is written with `%2E`. */
const nameable = (id: string): string => /^\.{1,2}$/.test(id) ? id.replaceAll(".", "%2E") : id;

/** Device ids join their parts with `~`, so that character is written `%7E` within a part. */
function idParts(params: Readonly<Record<string, string>>): Record<string, string> {
  const parts: Record<string, string> = Object.create(null);
  for (const name in params) {
    parts[name] = params[name]!.replace(/[%~]/g, (found) => found === "~" ? "%7E" : "%25");
  }
  return parts;
}

/** The tags of a topic's points; those of the series it names come before the route's. */
function tagsOf(
  { tags }: CompiledRoute,
  values: Readonly<Record<string, string>>,
  series: LineSeries | undefined,
): (readonly [key: string, value: string])[] {
  const own = tags.map(([key, template]) => [key, template.expand(values)] as const);
  if (series === undefined) return own;
  const others = own.filter(([key]) => series.tags.every(([name]) => name !== key));
  return [...series.tags, ...others].sort(([a], [b]) => a < b ? -1 : 1);
}

/** The meaning of a topic under the first route that takes it, or why there is none. */
export function understandTopic(
  routes: readonly CompiledRoute[],
  gatewayId: string,
  bytes: Uint8Array,
): TopicMeaning | Rejection {
  const topic = topicText(bytes);
  if (typeof topic !== "string") return topic;
  for (const route of routes) {
    const params = route.topic.match(topic);
    if (params === undefined) continue;
    const values = Object.assign(Object.create(null), params, { gateway: gatewayId });
    const series = route.series === undefined
      ? undefined
      : seriesOfLevel(params[route.series] ?? "");
    if (typeof series === "string") return refuse("invalid_topic", series);
    const named = series === undefined || route.series === undefined
      ? params
      : { ...params, [route.series]: seriesKey(series) };
    const deviceId = nameable(route.device.expand(idParts(named)));
    const id = utf8.encode(deviceId);
    const start = series?.measurement ?? route.measurement.expand(values);
    const end = route.afterMetric?.expand(values) ?? "";
    let tail = escapeMeasurement(end);
    let unwritable = route.afterMetric === undefined
      ? !isWritableName(start)
      : start.endsWith("\\") || end.endsWith("\\");
    for (const [key, value] of tagsOf(route, values, series)) {
      if (value === "") continue;
      unwritable ||= !isWritableName(value);
      tail += `,${escapeTag(key)}=${escapeTag(value)}`;
    }
    return {
      topic,
      route,
      deviceId,
      deviceHash: hashBytes(id, 0, id.length),
      identity: route.identity?.expand(values),
      scalar: route.scalar?.expand(values),
      unwritable,
      head: utf8.encode(escapeMeasurementStart(start)),
      tail: utf8.encode(tail),
    };
  }
  return refuse("no_route", "no route takes this topic");
}
