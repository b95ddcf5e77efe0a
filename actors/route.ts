/**
 * A route says which topics it takes and what becomes of their payloads. Here the configuration is
 * checked and compiled into the form that the path of a reading uses.
 *
 * @module
 */
import { messageOf } from "../runtime/message_of.ts";
import { PayloadDecoder, type PayloadRules } from "./decode.ts";
import type { Path } from "./decode_keys.ts";
import type { AckLevel } from "./readings_frame.ts";
import { isWritableName } from "./line_protocol.ts";
import type { RouteConfig } from "./route_config.ts";
import { Template, TopicTemplate } from "./route_template.ts";
import type { SchemaCheck } from "./schema.ts";
import { TimeZone } from "./timestamp_zone.ts";

/** One route, checked and ready. Immutable but for the decoder, which learns the payloads' keys. */
export interface CompiledRoute {
  readonly name: string;
  /** Its place in the table; the first that matches a topic wins. */
  readonly index: number;
  readonly ackLevel: AckLevel;
  readonly topic: TopicTemplate;
  readonly device: Template;
  /** The measurement up to the metric. */
  readonly measurement: Template;
  /** The measurement after the metric; `undefined`: all fields of a reading are one point. */
  readonly afterMetric: Template | undefined;
  /** Tags that the topic and the gateway decide, in order of their keys. */
  readonly tags: readonly (readonly [key: string, value: Template])[];
  /** The device a payload must name, when it must. */
  readonly identity: Template | undefined;
  /** Name of the field that a payload of one bare value becomes. */
  readonly scalar: Template | undefined;
  readonly decoder: PayloadDecoder;
  /** File or URL of the module with the code of these devices. */
  readonly module: string | undefined;
  /** The placeholder of the topic that is a whole series: measurement and tags. */
  readonly series: string | undefined;
}

/** What holds for every route that does not say otherwise. */
export interface RouteDefaults {
  readonly gatewayTag: boolean;
  readonly ackLevel: AckLevel;
  readonly jsonDepthMax: number;
  readonly fieldsMax: number;
}

/** Contracts §5; every point carries the tag `gateway` (§2). */
export const routeDefaults: RouteDefaults = {
  gatewayTag: true,
  ackLevel: "spooled",
  jsonDepthMax: 32,
  fieldsMax: 256,
};

/** `compileSchema` of schema.ts, which only configured routes need. */
export type SchemaCompiler = (schema: unknown) => SchemaCheck;

/** Names that InfluxDB keeps for itself. */
const reservedTags: readonly string[] = ["time", "_measurement", "_field"];

/** A mistake in the configuration of a route. `path` is where, for example `routes[0].topic`. */
export class RouteError extends Error {
  override readonly name = "RouteError";
  constructor(readonly path: string, problem: string, options?: ErrorOptions) {
    super(`${path}: ${problem}`, options);
  }
}

/**
 * Compiles one route of the right shape. `at` is its path in the configuration.
 *
 * @throws {RouteError} for a mistake that its schema cannot see.
 */
export function compileRoute(
  config: RouteConfig,
  index: number,
  at: string,
  defaults: RouteDefaults,
  compileSchema: SchemaCompiler,
): CompiledRoute {
  const topic = checked(`${at}.topic`, () => new TopicTemplate(config.topic));
  for (const name of ["gateway", "metric"]) {
    if (!topic.names.includes(name)) continue;
    throw new RouteError(`${at}.topic`, `{${name}} has a meaning of its own: name it otherwise`);
  }
  const template = (key: string, source: string, ...others: string[]): Template => {
    const made = checked(`${at}.${key}`, () => new Template(source));
    const allowed = [...topic.names, ...others];
    const unknown = made.names.find((name) => !allowed.includes(name));
    if (unknown === undefined) return made;
    const list = allowed.map((name) => `{${name}}`).join(", ");
    throw new RouteError(
      `${at}.${key}`,
      `there is no {${unknown}} here; allowed: ${list || "none"}`,
    );
  };
  if (config.device === undefined && topic.names.length === 0) {
    throw new RouteError(`${at}.device`, "is needed, since the topic has no placeholder");
  }
  const device = template("device", config.device ?? topic.names.map((n) => `{${n}}`).join("~"));
  const measurement = template("measurement", config.measurement, "gateway", "metric");
  if (measurement.names.filter((name) => name === "metric").length > 1) {
    throw new RouteError(`${at}.measurement`, "{metric} stands in it once, not more");
  }
  const [before, afterMetric] = measurement.split("metric");
  if (afterMetric !== undefined && config.module !== undefined) {
    throw new RouteError(`${at}.measurement`, "{metric} is not for routes with a module");
  }
  const tags = tagsOf(config, at, defaults);
  const { fields = {}, identity } = config;
  return {
    name: config.name,
    index,
    ackLevel: config.ack ?? defaults.ackLevel,
    topic,
    device,
    measurement: before,
    afterMetric,
    tags: Object.keys(tags).sort().map((key) => [
      key,
      template(`tags.${key}`, tags[key]!, "gateway"),
    ]),
    identity: identity && template("identity.equals", identity.equals),
    scalar: fields.bare === undefined ? undefined : template("fields.bare", fields.bare),
    decoder: new PayloadDecoder(payloadRules(config, at, defaults, compileSchema)),
    module: config.module,
    series: config.series,
  };
}

/** The tags that do not come out of the payload, by name. */
function tagsOf(
  { tags: own, payloadTags = {} }: RouteConfig,
  at: string,
  { gatewayTag }: RouteDefaults,
): Record<string, string> {
  const tags = { ...own };
  if (gatewayTag) tags["gateway"] ??= "{gateway}";
  for (const key of [...Object.keys(tags), ...Object.keys(payloadTags)]) {
    const problem = !isWritableName(key) || reservedTags.includes(key)
      ? "no tag can have this name"
      : Object.hasOwn(payloadTags, key) && Object.hasOwn(tags, key)
      ? "is a tag already"
      : undefined;
    if (problem !== undefined) throw new RouteError(`${at}.tags.${key}`, problem);
  }
  return tags;
}

function payloadRules(
  config: RouteConfig,
  at: string,
  defaults: RouteDefaults,
  compileSchema: SchemaCompiler,
): PayloadRules {
  const { fields = {}, timestamp, schema } = config;
  const keys = timestamp === undefined ? [] : [timestamp.key].flat();
  const zone = timestamp?.zone;
  return {
    from: (fields.from ?? [""]).map((place, i) => pathOf(place, `${at}.fields.from[${i}]`)),
    flatten: fields.flatten ?? false,
    accepts: acceptorOf(fields.include, fields.exclude),
    arrays: Object.entries(fields.arrays ?? {}).map(([place, names]) => ({
      path: pathOf(place, `${at}.fields.arrays`),
      names,
    })),
    values: { booleans: fields.booleans ?? "omit", strings: fields.strings ?? "omit" },
    timestamp: {
      paths: keys.map((place) => pathOf(place, `${at}.timestamp.key`)),
      format: timestamp?.format ?? "auto",
      zone: zone === undefined
        ? undefined
        : checked(`${at}.timestamp.zone`, () => new TimeZone(zone)),
    },
    sequence: config.sequence === undefined ? undefined : pathOf(config.sequence, `${at}.sequence`),
    identity: config.identity && pathOf(config.identity.key, `${at}.identity.key`),
    tags: Object.entries(config.payloadTags ?? {}).map(([key, place]) => [
      key,
      pathOf(place, `${at}.payloadTags.${key}`),
    ]),
    schema: schema === undefined ? undefined : checked(`${at}.schema`, () => compileSchema(schema)),
    unparsable: config.unparsable ?? "dead_letter",
    depthMax: defaults.jsonDepthMax,
    fieldsMax: defaults.fieldsMax,
  };
}

/** Runs one step of compiling; what it throws becomes a {@linkcode RouteError}. */
function checked<T>(path: string, step: () => T): T {
  try {
    return step();
  } catch (cause) {
    throw new RouteError(path, messageOf(cause), { cause });
  }
}

/** A key, or a JSON Pointer (RFC 6901). */
function pathOf(place: string, at: string): Path {
  if (place === "") return [];
  if (!place.startsWith("/")) return [place];
  if (/~(?![01])/.test(place)) {
    throw new RouteError(at, `"${place}" is no JSON Pointer: ~ is written ~0, / is written ~1`);
  }
  return place.slice(1).split("/").map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** Whether a field's name is wanted. One `*` in a pattern stands for anything. */
function acceptorOf(
  include: readonly string[] | undefined,
  exclude: readonly string[] = [],
): (name: string) => boolean {
  const matches = (pattern: string, name: string): boolean => {
    const star = pattern.indexOf("*");
    if (star < 0) return pattern === name;
    const start = pattern.slice(0, star);
    const end = pattern.slice(star + 1);
    return name.length >= start.length + end.length && name.startsWith(start) &&
      name.endsWith(end);
  };
  return (name) =>
    (include === undefined || include.some((pattern) => matches(pattern, name))) &&
    !exclude.some((pattern) => matches(pattern, name));
}
