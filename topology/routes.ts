/**
 * The routes of a configuration, compiled.
 *
 * @module
 */
import type { CompiledRoute } from "../actors/route.ts";
import { compileRoutes } from "../actors/route_table.ts";
import type { Config } from "../config.ts";

const builtin = ["station", "device", "weather", "position", "line"] as const;

/** @throws {RouteError} for a mistake, with its place. */
export function shardRoutes({ routes, builtinRoutes, ack, limits }: Config): CompiledRoute[] {
  return compileRoutes(routes, {
    builtinOff: builtin.filter((name) => !builtinRoutes[name]),
    ackLevel: ack,
    jsonDepthMax: limits.jsonDepthMax,
    fieldsMax: limits.fieldsMax,
  });
}
