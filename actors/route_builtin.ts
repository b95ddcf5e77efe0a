/**
 * The routes that are there without configuration (contracts §5). They come after the configured
 * ones, in this order; each can be switched off by its name.
 *
 * A topic that begins with `$` is never matched by `{location}` and the like, so `$weather/…`
 * belongs to the edges inside: an MQTT endpoint takes no such topic from clients [MQTT-4.7.2-1].
 *
 * @module
 */
import { type CompiledRoute, compileRoute, type RouteDefaults, routeDefaults } from "./route.ts";
import type { RouteConfig } from "./route_config.ts";

const timestamp = { key: "timestamp" };

/** In the order in which they are tried. */
export const builtinRoutes = [
  {
    name: "weather",
    topic: "$weather/{station}",
    device: "weather~{station}",
    measurement: "weather",
    tags: { station: "{station}" },
    fields: { exclude: ["token"] },
    identity: { key: "name", equals: "{station}" },
    timestamp,
  },
  {
    // Line protocol: the edge has taken it apart, with `$time` in ns.
    name: "line",
    topic: "$line/{series}",
    device: "line~{series}",
    measurement: "{series}",
    series: "series",
    fields: { booleans: "boolean", strings: "text" },
    timestamp: { key: "$time", format: "ns" },
  },
  {
    name: "device",
    topic: "device/{uuid}",
    measurement: "device",
    tags: { device: "{uuid}", gateway: "{gateway}" },
    identity: { key: "uuid", equals: "{uuid}" },
    timestamp,
  },
  {
    name: "position",
    topic: "{fleet}/{vehicle}/position",
    measurement: "position",
    tags: { fleet: "{fleet}", vehicle: "{vehicle}" },
    // A plain object, or a GeoJSON Feature (RFC 7946): longitude comes first there.
    fields: {
      from: ["", "properties"],
      arrays: { "/geometry/coordinates": ["lon", "lat", "alt"] },
    },
    timestamp: { key: ["timestamp", "/properties/timestamp"] },
  },
  {
    name: "station",
    topic: "{location}/{station}",
    measurement: "{station}.{metric}",
    tags: { location: "{location}", station: "{station}" },
    timestamp,
  },
] as const satisfies readonly RouteConfig[];

export type BuiltinRoute = typeof builtinRoutes[number]["name"];

/** What is not given is {@linkcode routeDefaults}. */
export interface RouteOptions extends Partial<RouteDefaults> {
  /** Built-in routes that are off. */
  readonly builtinOff?: readonly BuiltinRoute[];
}

/** Those that are on, after the `configured` ones, which take the place of those of their names. */
export function compileBuiltinRoutes(
  options: RouteOptions,
  configured: readonly CompiledRoute[] = [],
): CompiledRoute[] {
  const defaults = { ...routeDefaults, ...options };
  const taken = new Set<string>(options.builtinOff);
  for (const { name } of configured) taken.add(name);
  return builtinRoutes.filter(({ name }) => !taken.has(name)).map((route, i) =>
    compileRoute(route, configured.length + i, `built-in route ${route.name}`, defaults, noSchema)
  );
}

function noSchema(): never {
  throw new TypeError("a built-in route has no schema");
}
