import assert from "node:assert/strict";
import { options } from "./options.ts";
import { referencePage } from "./reference.ts";
import { placedOptions } from "./table.ts";

const placed = [...placedOptions(options)];

Deno.test("no two options have one variable", () => {
  const names = placed.map(({ variable }) => variable);
  assert.deepEqual(names.filter((name, i) => names.indexOf(name) !== i), []);
});

Deno.test("every option says in sentences what it means, and its unit in its name", () => {
  for (const { path, option } of placed) {
    const key = path.join(".");
    assert.match(option.doc, /^[A-Z`0-9].*[.:]$/, key);
    assert.equal(/Ms$/.test(key), option.unit === "ms", key);
    assert.equal(/S$/.test(key), option.unit === "s", key);
    assert.equal(/[bB]ytes(Max)?$/.test(key), option.unit === "bytes", key);
  }
});

Deno.test("the reference names every option with its variable", () => {
  const page = referencePage(options);
  for (const { path, variable } of placed) {
    assert.ok(page.includes(`| \`${path.join(".")}\` |`), path.join("."));
    assert.ok(page.includes(`| \`${variable}\` |`), variable);
  }
  assert.match(page, /`limits\.payloadBytesMax` \| `262144` bytes \(256 KiB\)/);
  assert.match(page, /`device\.offlineAfterMs` \| `600000` ms \(10 min\)/);
});
