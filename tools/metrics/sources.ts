/**
 * Where the project speaks of metrics.
 *
 * @module
 */
import { isTestCode } from "../layers.ts";
import type { Module } from "../module_graph.ts";
import type { MetricSources, Texts } from "./page.ts";

const table = "gateways/http/metric_help.ts";
/** Tests that need names of metrics that are none. */
const madeUp = /^(gateways\/http\/metric\w*_test|tools\/.*)\.ts$/;
const folders = ["docs/", "deploy/prometheus/", "deploy/grafana/dashboards/"];
/** The tables of PostgreSQL and their parts begin as metrics do; so does a cookie. */
const schema = /^gateways\/auth\/postgres_\w+\.ts$/;
const cookie = "sluice_session";

/** Reads them, below `root`. */
export async function metricSources(
  root: URL,
  help: Readonly<Record<string, string>>,
  modules: ReadonlyMap<string, Module>,
): Promise<MetricSources> {
  const texts = (chosen: (path: string) => boolean): Texts =>
    new Map([...modules].filter(([path]) => chosen(path)).map(([path, { text }]) => [path, text]));
  const isService = (path: string): boolean =>
    /^(actors|gateways|runtime|topology)\//.test(path) && !isTestCode(path);
  const sql = [...texts((path) => schema.test(path)).values()].join("\n");
  return {
    help,
    code: texts((path) => isService(path) && path !== table && !schema.test(path)),
    readers: texts((path) => isTestCode(path) && !madeUp.test(path)),
    pages: await pagesBelow(root),
    others: new Set([cookie, ...[...sql.matchAll(/\bsluice_\w+/g)].map(([name]) => name)]),
  };
}

async function pagesBelow(root: URL): Promise<Texts> {
  const pages = new Map<string, string>();
  const add = async (path: string) => pages.set(path, await Deno.readTextFile(new URL(path, root)));
  for (const path of ["README.md", "ARCHITECTURE.md"]) await add(path);
  for (const folder of folders) {
    for await (const { name, isFile } of Deno.readDir(new URL(folder, root))) {
      // The page itself is made of the table.
      if (isFile && name !== "metrics.md") await add(`${folder}${name}`);
    }
  }
  return pages;
}
