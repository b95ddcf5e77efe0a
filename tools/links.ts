/**
 * What the pages point to: links, their anchors, and source files named in code spans.
 *
 * @module
 */

/** Markdown `](target)`, `[name]: target`, and the attributes of HTML. */
const linkForms = [
  /\]\(\s*<?([^)\s>]+)[^)]*\)/g,
  /^\[[^\]]+\]:\s*(\S+)/gm,
  /\b(?:href|src)="([^"]+)"/g,
];
const elsewhere = /^(?:[a-z][a-z0-9+.-]*:|\/\/)/i;
const fenced = /^( *)(`{3,}|~{3,})[\s\S]*?^\1\2 *$/gm;
const codeSpan = /(?<!`)`([^`]+)`(?!`)/g;
/** `actors/device.ts`, or a folder of the project: `gateways/mqtt/client_tls/`. */
const sourceFile = /^(?:[\w.-]+\/)*[\w.-]+\.ts$/;
const folder = /^(?:[\w.-]+\/)+$/;

/**
 * One sentence for each link, anchor or file name in `pages` (path → Markdown) that leads nowhere.
 * `files` are the paths of the project's files.
 */
export function deadLinks(
  pages: ReadonlyMap<string, string>,
  files: ReadonlySet<string>,
): string[] {
  const folders = new Set([...files].flatMap(foldersOf));
  const anchors = new Map([...pages].map(([path, text]) => [path, anchorsOf(text)]));

  const deadLink = (page: string, link: string): string | undefined => {
    const { pathname, hash } = new URL(link, `file:///${page}`);
    const path = decodeURIComponent(pathname).slice(1);
    if (!files.has(path) && !folders.has(path.replace(/\/?$/, "/"))) {
      return `${page}: the link ${link} leads nowhere: there is no ${path}`;
    }
    const anchor = decodeURIComponent(hash.slice(1));
    if (anchor === "" || anchors.get(path)?.has(anchor) !== false) return undefined;
    return `${page}: the link ${link} leads nowhere: ${path} has no heading #${anchor}`;
  };
  const isNamed = (name: string): boolean =>
    name.includes("/")
      ? files.has(name) || [...files].some((file) => file.endsWith(`/${name}`))
      : [...files].some((file) => file.slice(file.lastIndexOf("/") + 1) === name);
  const deadName = (page: string, name: string): string | undefined => {
    if (sourceFile.test(name) && !isNamed(name)) {
      return `${page}: names \`${name}\`, and there is no such file`;
    }
    const top = name.slice(0, name.indexOf("/") + 1);
    if (folder.test(name) && folders.has(top) && !folders.has(name)) {
      return `${page}: names \`${name}\`, and there is no such folder`;
    }
    return undefined;
  };

  return [...pages].flatMap(([page, text]) => {
    const prose = text.replaceAll(fenced, "");
    const linked = prose.replaceAll(codeSpan, "");
    const links = linkForms.flatMap((form) => [...linked.matchAll(form)].map(([, link]) => link!));
    const names = [...prose.matchAll(codeSpan)].map(([, name]) => name!);
    return [
      ...new Set([
        ...links.filter((link) => !elsewhere.test(link)).map((link) => deadLink(page, link)),
        ...names.map((name) => deadName(page, name)),
      ]),
    ].filter((problem) => problem !== undefined);
  });
}

/** `a/b/c.ts` → `a/`, `a/b/`. */
function foldersOf(path: string): string[] {
  return [...path.matchAll(/\//g)].map(({ index }) => path.slice(0, index + 1));
}

/** What GitHub makes of the headings; one that comes again gets a number. */
function anchorsOf(text: string): Set<string> {
  const found = new Set<string>();
  const prose = text.replaceAll(fenced, "");
  for (const [, heading] of prose.matchAll(/^#{1,6} +(.+?)(?: +#+)? *$/gm)) {
    const slug = heading!.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase()
      .replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, "").replaceAll(" ", "-");
    let anchor = slug;
    for (let n = 1; found.has(anchor); n++) anchor = `${slug}-${n}`;
    found.add(anchor);
  }
  for (const [, id] of prose.matchAll(/\b(?:id|name)="([^"]+)"/g)) found.add(id!);
  return found;
}
