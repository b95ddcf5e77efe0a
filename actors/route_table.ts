/**
 * All routes of a shard, in the order in which they are tried: the configured ones, then those that
 * are built in. A configured route takes the place of the built-in one of its name.
 *
 * @module
 */
import { Ajv, type ErrorObject } from "ajv";
import { type CompiledRoute, compileRoute, routeDefaults, RouteError } from "./route.ts";
import { compileBuiltinRoutes, type RouteOptions } from "./route_builtin.ts";
import { type RouteConfig, routeSchema } from "./route_config.ts";
import { compileSchema } from "./schema.ts";

/**
 * Compiles the configured routes, then the built-in ones that are on.
 *
 * @throws {RouteError} for the first mistake.
 */
export function compileRoutes(config: unknown, options: RouteOptions = {}): CompiledRoute[] {
  const validate = new Ajv({ strict: true, allowUnionTypes: true, verbose: true }).compile<
    RouteConfig[]
  >({
    type: "array",
    items: routeSchema,
  });
  if (!validate(config)) throw shapeError(validate.errors?.[0]);
  const defaults = { ...routeDefaults, ...options };
  const names = new Map<string, number>();
  const configured = config.map((route, i) => {
    const known = names.get(route.name);
    if (known !== undefined) {
      throw new RouteError(`routes[${i}].name`, `"${route.name}" is the name of routes[${known}]`);
    }
    names.set(route.name, i);
    return compileRoute(route, i, `routes[${i}]`, defaults, compileSchema);
  });
  return [...configured, ...compileBuiltinRoutes(options, configured)];
}

function shapeError(error: ErrorObject | undefined): RouteError {
  if (error === undefined) return new RouteError("routes", "is not a list of routes");
  const path = error.instancePath.split("/").slice(1).map((key) =>
    /^\d+$/.test(key) ? `[${key}]` : `.${key}`
  );
  const { params } = error;
  const allowed = "allowedValues" in params ? `: ${JSON.stringify(params["allowedValues"])}` : "";
  const known = Object.keys(error.parentSchema?.["properties"] ?? {}).join(", ");
  const key = "additionalProperty" in params
    ? `: "${params["additionalProperty"]}"; allowed: ${known}`
    : "";
  return new RouteError(`routes${path.join("")}`, `${error.message}${allowed}${key}`);
}
