import assert from "node:assert/strict";
import { isConditional, type Validators, type Verdict, verdictOf } from "./conditions.ts";
import { Problem } from "./problem.ts";

const atMs = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
const before = "Fri, 02 Jan 2026 03:04:04 GMT";
const then = "Fri, 02 Jan 2026 03:04:05 GMT";
const one: Validators = { tag: '"a"', atMs };
const undated: Validators = { tag: '"a"' };

/** `del` where it is not as `put`. */
type Case = readonly [
  Record<string, string>,
  Validators | undefined,
  get: Verdict,
  put: Verdict,
  del?: Verdict,
];

const cases: readonly Case[] = [
  [{}, one, "go", "go"],
  [{}, undefined, "go", "go"],
  [{ "if-match": '"a"' }, one, "go", "go"],
  [{ "if-match": '"b", "a"' }, one, "go", "go"],
  [{ "if-match": '"a",' }, one, "go", "go"],
  [{ "if-match": ' , ,"b",\t, "a" ,, ' }, one, "go", "go"],
  [{ "if-match": '"b"' }, one, "failed", "failed"],
  [{ "if-match": 'W/"a"' }, one, "failed", "failed"],
  [{ "if-match": "*" }, one, "go", "go"],
  [{ "if-match": "*" }, undefined, "failed", "failed"],
  [{ "if-match": '"a"' }, undefined, "failed", "failed", "go"],
  [{ "if-match": '"a"', "if-none-match": "*" }, undefined, "failed", "failed", "go"],
  [{ "if-none-match": '"a"' }, one, "known", "failed"],
  [{ "if-none-match": '"x,y", W/"a"' }, one, "known", "failed"],
  [{ "if-none-match": '"b"' }, one, "go", "go"],
  [{ "if-none-match": " * " }, one, "known", "failed"],
  [{ "if-none-match": "*" }, undefined, "go", "go"],
  [{ "if-match": '"a"', "if-none-match": '"a"' }, one, "known", "failed"],
  [{ "if-unmodified-since": then }, one, "go", "go"],
  [{ "if-unmodified-since": before }, one, "failed", "failed"],
  [{ "if-unmodified-since": before }, undated, "go", "go"],
  [{ "if-unmodified-since": before }, undefined, "go", "go"],
  [{ "if-unmodified-since": "yesterday" }, one, "go", "go"],
  [{ "if-unmodified-since": before, "if-match": '"a"' }, one, "go", "go"],
  [{ "if-modified-since": then }, one, "known", "go"],
  [{ "if-modified-since": before }, one, "go", "go"],
  [{ "if-modified-since": then }, undated, "go", "go"],
  [{ "if-modified-since": then, "if-none-match": '"b"' }, one, "go", "go"],
];

for (const [init, current, get, put, del = put] of cases) {
  Deno.test(`conditions: ${JSON.stringify(init)} of ${JSON.stringify(current)}`, () => {
    const headers = new Headers(init);
    assert.equal(isConditional(headers), Object.keys(init).length > 0);
    for (const method of ["GET", "HEAD"]) {
      assert.equal(verdictOf({ method, headers }, current), get);
    }
    for (const method of ["PUT", "POST"]) {
      assert.equal(verdictOf({ method, headers }, current), put);
    }
    assert.equal(verdictOf({ method: "DELETE", headers }, current), del);
  });
}

Deno.test("a change that was made already may be asked for again, if it names what was there", () => {
  const verdict = (init: Record<string, string>, current = one) =>
    verdictOf({ method: "PUT", headers: new Headers(init) }, current, '"new"');
  const made = { tag: '"new"' };
  assert.equal(verdict({ "if-match": '"a"' }), "go");
  assert.equal(verdict({ "if-match": '"a"' }, made), "go");
  assert.equal(verdict({ "if-match": '"a"' }, { tag: '"other"' }), "failed");
  assert.equal(verdict({ "if-none-match": "*" }, made), "failed");
});

Deno.test("a tag without its quotes is refused, not overlooked", () => {
  for (const name of ["if-match", "if-none-match"]) {
    for (const text of ["a", "", '"a" "b"', '"a', "*, *", 'w/"a"', ",", ", ,", '"a",b']) {
      assert.throws(
        () => verdictOf({ method: "PUT", headers: new Headers({ [name]: text }) }, one),
        (error) => error instanceof Problem && error.type === "invalid-header",
        `${name}: ${text}`,
      );
    }
  }
});
