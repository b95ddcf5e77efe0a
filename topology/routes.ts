/**
 * The routes of a configuration, compiled.
 *
 * @module
 */
import type { CompiledRoute } from "../actors/route.ts";
import { compileBuiltinRoutes } from "../actors/route_builtin.ts";
import type { Config } from "../config.ts";

const builtin = ["station", "device", "weather", "position", "line"] as const;

/**
 * ajv is loaded where there are configured routes to check with it.
 *
 * @throws {RouteError} for a mistake, with its place.
 */
export async function shardRoutes(
  { routes, builtinRoutes, ack, limits }: Config,
): Promise<CompiledRoute[]> {
  const options = {
    builtinOff: builtin.filter((name) => !builtinRoutes[name]),
    ackLevel: ack,
    jsonDepthMax: limits.jsonDepthMax,
    fieldsMax: limits.fieldsMax,
  };
  if (routes.length === 0) return compileBuiltinRoutes(options);
  const { compileRoutes } = await import("../actors/route_table.ts");
  return compileRoutes(routes, options);
}
