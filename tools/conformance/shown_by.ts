/**
 * Finds the tests that show a statement. A test says so in a comment above it:
 *
 * ```text
 * // Shows 5: 3.1.0-1, 3.1.0-2; 3.1.1: 3.1.0-1.
 * Deno.test("CONNECT comes first", …
 * ```
 *
 * @module
 */

export interface ShownBy {
  readonly version: "5" | "3.1.1";
  readonly number: string;
  readonly file: string;
  readonly title: string;
}

const tagged = /((?:^[ \t]*\/\/.*\n)+)[ \t]*Deno\.test\(\s*["`]([^"`]+)["`]/gm;

/** @throws {SyntaxError} for a comment that says `Shows` and cannot be read. */
export function shownIn(file: string, text: string): ShownBy[] {
  return [...text.matchAll(tagged)].flatMap(([, comment = "", title = ""]) => {
    const words = comment.replaceAll(/^[ \t]*\/\/ ?/gm, "").replaceAll("\n", " ");
    const shows = /\bShows ((?:5|3\.1\.1): .+?)\.(?:\s|$)/.exec(words)?.[1];
    if (shows === undefined) {
      if (/\bShows (5|3\.1\.1)/.test(words)) throw unreadable(file, title);
      return [];
    }
    return shows.split(";").flatMap((part) => {
      const [, version, numbers] = /^\s*(5|3\.1\.1): (.+)$/.exec(part) ?? [];
      if (numbers === undefined || (version !== "5" && version !== "3.1.1")) {
        throw unreadable(file, title);
      }
      return numbers.split(",").map((number) => ({ version, number: number.trim(), file, title }));
    });
  });
}

function unreadable(file: string, title: string): SyntaxError {
  return new SyntaxError(`${file}: cannot read which statements "${title}" shows`);
}
