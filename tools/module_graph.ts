/**
 * The modules of the project and what each names: imports, and workers started by URL.
 *
 * @module
 */

/** One module, with paths relative to the project. */
export interface Module {
  readonly path: string;
  readonly text: string;
  /** Project files that it imports; also those it imports only types of. */
  readonly imports: readonly string[];
  /** Project modules named by `new URL("./…", import.meta.url)`: entries of Workers. */
  readonly names: readonly string[];
  /** Packages and `node:` modules. */
  readonly packages: readonly string[];
  /** Of all these, what is loaded with it: no types, no `import("…")`. */
  readonly eager: readonly string[];
}

const staticForms = [
  /^\s*(?:import|export)\b[^;"']*?\bfrom\s+"([^"]+)"/gm,
  /^\s*import\s+"([^"]+)"/gm,
];
const importForms = [...staticForms, /\bimport\("([^"]+)"\)/g];
/** `import type … from`, and `import { type A, type B } from`. */
const typesForm =
  /^\s*(?:import|export)\s+(?:type\b[^;"']*?|\{(?:\s*type\s+\w+(?:\s+as\s+\w+)?\s*,?)*\s*\}\s*)\bfrom\s+"[^"]+"/gm;
const urlForm = /new URL\(\s*"(\.{1,2}\/[^"]+\.ts)",\s*import\.meta\.url,?\s*\)/g;

/** Reads one module's text. Comments are not looked into. */
export function parseModule(path: string, text: string): Module {
  const code = withoutComments(text);
  const specifiers = importForms.flatMap((form) => matches(form, code));
  const values = code.replace(typesForm, "");
  const isOwn = (specifier: string): boolean => specifier.startsWith(".");
  return {
    path,
    text: code,
    imports: specifiers.filter(isOwn).map((specifier) => resolve(path, specifier)),
    names: matches(urlForm, code).map((specifier) => resolve(path, specifier)),
    packages: specifiers.filter((specifier) => !isOwn(specifier)),
    eager: staticForms.flatMap((form) => matches(form, values))
      .map((specifier) => isOwn(specifier) ? resolve(path, specifier) : specifier),
  };
}

/** Every `.ts` and `.js` file below `root`, by path. */
export async function readModules(root: URL): Promise<Map<string, Module>> {
  const modules = new Map<string, Module>();
  for await (const path of projectFiles(root)) {
    if (!/\.(ts|js)$/.test(path)) continue;
    modules.set(path, parseModule(path, await Deno.readTextFile(new URL(path, root))));
  }
  return modules;
}

const skipped = new Set([".git", "data", "coverage", "dist", "node_modules"]);

/** The path of every file below `root`, without what is made or downloaded. */
export async function* projectFiles(root: URL, dir = ""): AsyncIterable<string> {
  for await (const { name, isDirectory } of Deno.readDir(new URL(`./${dir}`, root))) {
    if (!isDirectory) yield `${dir}${name}`;
    else if (!skipped.has(name)) yield* projectFiles(root, `${dir}${name}/`);
  }
}

function matches(form: RegExp, text: string): string[] {
  return [...text.matchAll(form)].flatMap((match) => match[1] ?? []);
}

function resolve(from: string, specifier: string): string {
  return new URL(specifier, `file:///${from}`).pathname.slice(1);
}

/** Block comments, and lines that are only a comment: examples in them import nothing. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
}
