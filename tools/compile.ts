/**
 * `deno task compile`: a standalone binary, dist/sluice, with the Workers, the dashboard, the
 * schemas, and of the packages only those that the service imports.
 *
 * @module
 */
import { leftOut, type ModuleInfo, neededPackages } from "./embedded_packages.ts";
import { parseModule } from "./module_graph.ts";

const root = new URL("../", import.meta.url);
const entry = "main.ts";
const workers =
  parseModule("topology.ts", await Deno.readTextFile(new URL("topology.ts", root))).names;
const permissions = ["net", "env", "read", "write", "sys=hostname,statfs"];
const v8Flags = "--initial-old-space-size=64,--max-semi-space-size=16";

async function deno(args: readonly string[], stdout: "inherit" | "piped"): Promise<Uint8Array> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: root,
    stdin: "null",
    stdout,
    stderr: "inherit",
  }).spawn();
  const piped = stdout === "piped" ? await new Response(child.stdout).bytes() : new Uint8Array();
  const { code } = await child.status;
  if (code !== 0) Deno.exit(code); // It has said why.
  return piped;
}

async function moduleInfo(path: string): Promise<ModuleInfo> {
  return JSON.parse(new TextDecoder().decode(await deno(["info", "--json", path], "piped")));
}

// The first install makes the folders that are chosen from.
await deno(["install", "--quiet", "--node-modules-dir=auto", "--frozen"], "inherit");
const needed = neededPackages(await Promise.all([entry, ...workers].map(moduleInfo)));
const installed = (await Array.fromAsync(Deno.readDir(new URL("node_modules/.deno/", root))))
  .filter(({ name, isDirectory }) => isDirectory && name.includes("@"))
  .map(({ name }) => name).toSorted();
const without = [
  ".bin", // Links that would bring back programs of packages left out.
  ...leftOut(installed, needed),
  // Its own tests: more than all the rest of it.
  ...installed.filter((name) => name.startsWith("bintrees@"))
    .map((name) => `.deno/${name}/node_modules/bintrees/test`),
];

await deno([
  "compile",
  "--no-prompt",
  `--v8-flags=${v8Flags}`,
  "--node-modules-dir=auto",
  ...permissions.map((name) => `--allow-${name}`),
  ...without.flatMap((path) => ["--exclude", `node_modules/${path}`]),
  ...[...workers, "gateways/http/dashboard", "schema"].flatMap((path) => ["--include", path]),
  "--output",
  "dist/sluice",
  entry,
], "inherit");
