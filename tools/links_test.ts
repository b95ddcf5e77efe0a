import assert from "node:assert/strict";
import { deadLinks } from "./links.ts";

const files = new Set(["README.md", "docs/a.md", "docs/b.md", "actors/device.ts", "deploy/x.yml"]);
const b = "# B\n\n## Over `TLS`, and more\n\n## Twice\n\n## Twice\n\n```sh\n# no heading\n```\n";
const said = (text: string): string[] =>
  deadLinks(new Map([["docs/a.md", text], ["docs/b.md", b]]), files);

Deno.test("links, anchors and names that lead somewhere", () => {
  const good = [
    "[x](b.md) [x](b.md#over-tls-and-more) [x](../README.md) [x](../deploy) [x](../deploy/)",
    '[x](b.md#twice-1) [x](https://example.org/none.md) [x](mailto:a@b.c) [x](b.md "title")',
    '<img src="../README.md">\n\n[x]: b.md\n\n## Here\n\n[x](#here) `actors/device.ts` `device.ts`',
    "`deploy/` `/readyz` `a/b/` `[x](code.md)`\n\n```md\n[x](fenced.md) `none.ts`\n```\n",
  ];
  for (const text of good) assert.deepEqual(said(text), []);
});

for (
  const [text, words] of [
    ["[x](c.md)", /^docs\/a\.md: the link c\.md leads nowhere: there is no docs\/c\.md$/],
    ["[x](README.md)", /there is no docs\/README\.md/],
    ["[x](b.md#gone)", /docs\/b\.md has no heading #gone/],
    ["[x](b.md#twice-2)", /no heading #twice-2/],
    ["[x](b.md#no-heading)", /no heading #no-heading/],
    ["## Here\n\n[x](#there)", /docs\/a\.md has no heading #there/],
    ['<img src="none.png">', /no docs\/none\.png/],
    ["[x]: none.md", /no docs\/none\.md/],
    ["see `actors/gone.ts`", /names `actors\/gone\.ts`, and there is no such file/],
    ["see `gone.ts`", /names `gone\.ts`/],
    ["see `actors/gone/`", /names `actors\/gone\/`, and there is no such folder/],
  ] as const
) {
  Deno.test(`found: ${text.replaceAll("\n", " ")}`, () => {
    const problems = said(text);
    assert.equal(problems.length, 1);
    assert.match(problems[0]!, words);
  });
}
