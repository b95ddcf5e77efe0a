/**
 * Which packages a standalone binary needs: what its modules import, and what these depend on.
 *
 * @module
 */

/** The part of `deno info --json` that is read here. */
export interface ModuleInfo {
  readonly modules: readonly { readonly npmPackage?: string }[];
  readonly npmPackages: Readonly<Record<string, NpmPackage>>;
}

interface NpmPackage {
  readonly name: string;
  readonly version: string;
  readonly dependencies: readonly string[];
}

/** `name@version` of all that the graphs reach. Packages of types are not run. */
export function neededPackages(graphs: readonly ModuleInfo[]): Set<string> {
  const needed = new Set<string>();
  for (const { modules, npmPackages } of graphs) {
    const seen = new Set<string>();
    const open = modules.flatMap(({ npmPackage }) => npmPackage ?? []);
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      const found = npmPackages[id];
      if (found === undefined) throw new Error(`deno info says nothing of the package ${id}`);
      if (seen.has(id) || found.name.startsWith("@types/")) continue;
      seen.add(id);
      needed.add(`${found.name}@${found.version}`);
      open.push(...found.dependencies);
    }
  }
  return needed;
}

/**
 * What to leave out of `node_modules`, relative to it.
 *
 * @param installed the folders of `node_modules/.deno`: `@scope+name@1.2.3`, `name@1.2.3_1`
 */
export function leftOut(installed: readonly string[], needed: ReadonlySet<string>): string[] {
  const names = new Set([...needed].map(nameOf));
  return installed.flatMap((folder) => {
    const id = folder.replace("+", "/").replace(/(@[^@_]+)_\d+$/, "$1");
    if (needed.has(id)) return [];
    const name = nameOf(id);
    const links = names.has(name) ? [] : [name, `.deno/node_modules/${name}`];
    return [`.deno/${folder}`, ...links];
  });
}

/** `@scope/name@1.2.3` → `@scope/name`. */
const nameOf = (id: string): string => id.slice(0, id.lastIndexOf("@"));
