/**
 * The rules of the source tree, as functions from modules to complaints.
 *
 * @module
 */
import { eagerPackages } from "./eager_packages.ts";
import type { Module } from "./module_graph.ts";

/** Imports point from a later layer to an earlier one, or stay inside one. */
const layers = ["runtime", "actors", "gateways", "top"] as const;
type Layer = typeof layers[number];

/** Where a program, a library or a tool begins. */
const entries = ["main.ts", "runtime/mod.ts", "sim/main.ts", "gateways/auth/main.ts"];
/** A fetch handler: Deno Deploy and `deno serve` ask for a default export. */
const servedEntry = "gateways/auth/main.ts";
const isEntry = (path: string): boolean =>
  entries.includes(path) || /^(tools|bench)\/[^/]+\.ts$/.test(path);

const isTest = (path: string): boolean => /_(test|bench)\.ts$/.test(path);
export const isTestCode = (path: string): boolean =>
  isTest(path) || /^(tests|bench)\//.test(path) || /(^|\/)testing(\/|\.ts$)/.test(path);

type Modules = ReadonlyMap<string, Module>;

/** One sentence for each breach. */
export function complaints(modules: Modules): string[] {
  return [
    ...[...modules.values()].flatMap((module) => [
      ...ofImports(module),
      ...ofForm(module),
    ]),
    ...deadFiles(modules),
    ...eagerPackages(modules),
  ].sort();
}

function ofImports({ path, imports, names }: Module): string[] {
  return [...imports, ...names].flatMap((target) => {
    const because = forbidden(path, target);
    return because === undefined ? [] : [`${path} imports ${target}: ${because}`];
  });
}

/** Why `from` may not import `target`. */
function forbidden(from: string, target: string): string | undefined {
  if (isTestCode(target) && !isTestCode(from)) return "it is test code";
  if (target.endsWith("_worker.ts") && from !== "topology.ts" && !isTestCode(from)) {
    return "only topology.ts names the entry of a Worker";
  }
  const targetInSim = target.startsWith("sim/");
  if (from.startsWith("sim/")) {
    return targetInSim || target.startsWith("gateways/mqtt/codec/") ||
        (isTestCode(from) && target.startsWith("gateways/testing/"))
      ? undefined
      : "the simulator speaks to the service over its public protocols only";
  }
  if (targetInSim) return "nothing imports the simulator";
  // Tests of any layer may start real servers.
  if (isTestCode(from) && target.startsWith("gateways/testing/")) return undefined;
  const [own, other] = [layerOf(from), layerOf(target)];
  return layers.indexOf(other) > layers.indexOf(own)
    ? `${other} stands above ${own}; imports point to ${layers.slice(0, 3).join(" ← ")} ← top`
    : undefined;
}

function layerOf(path: string): Layer {
  const folder = path.slice(0, path.indexOf("/"));
  return layers.find((layer) => layer === folder) ?? "top";
}

function ofForm({ path, text }: Module): string[] {
  const found: string[] = [];
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (!/^[a-z0-9_.]+$/.test(name)) found.push(`${path}: file names are snake_case`);
  if (/^export default\b/m.test(text) && path !== servedEntry) {
    found.push(`${path}: has a default export`);
  }
  if (/^export \*/m.test(text) && path !== "runtime/mod.ts") {
    found.push(`${path}: exports everything of another file; only runtime/mod.ts may`);
  }
  return found;
}

/** Files that no entry reaches; code that only tests reach is dead too. */
function deadFiles(modules: Modules): string[] {
  const paths = [...modules.keys()];
  const live = reachable(paths.filter((path) => isEntry(path) && !isTest(path)), modules);
  const tested = reachable(paths.filter(isTest), modules);
  return paths.flatMap((path) => {
    if (live.has(path) || isTest(path)) return [];
    if (isTestCode(path)) return tested.has(path) ? [] : [`${path}: no test uses it`];
    return tested.has(path) ? [`${path}: only tests use it`] : [`${path}: nothing uses it`];
  });
}

function reachable(from: readonly string[], modules: Modules): Set<string> {
  const seen = new Set<string>();
  const open = [...from];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const module = modules.get(path);
    if (module === undefined || seen.has(path)) continue;
    seen.add(path);
    open.push(...module.imports, ...module.names);
  }
  return seen;
}
