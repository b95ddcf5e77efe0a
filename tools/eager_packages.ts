/**
 * What no start may load, for every thread would load it again: packages that only some
 * configurations or requests need.
 *
 * @module
 */
import type { Module } from "./module_graph.ts";

const lazyPackages: readonly string[] = [
  "@influxdata/influxdb-client",
  "@peculiar/asn1-schema",
  "@peculiar/asn1-x509",
  "ajv",
  "ajv-formats",
  "mqtt",
  "postgres",
  "prom-client",
  "re2js",
];

/** One sentence for each import that loads such a package with `main.ts` or with a Worker. */
export function eagerPackages(modules: ReadonlyMap<string, Module>): string[] {
  const seen = new Set<string>();
  const open = ["main.ts", ...(modules.get("topology.ts")?.names ?? [])];
  const found: string[] = [];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const module = modules.get(path);
    if (module === undefined || seen.has(path)) continue;
    seen.add(path);
    open.push(...module.eager);
    for (const name of module.eager.filter((one) => lazyPackages.includes(one))) {
      found.push(
        `${path} imports ${name}: every start loads it; a file that does must be imported by \`import("…")\`, where it is needed`,
      );
    }
  }
  return found;
}
