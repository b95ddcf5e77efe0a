import assert from "node:assert/strict";
import { Problem } from "../problem.ts";
import { checkFilter, checkName, topicOf } from "./topic_path.ts";

const good: readonly (readonly [path: string, topic: string])[] = [
  ["a/b", "a/b"],
  ["a%2Fb", "a/b"],
  ["/a", "/a"],
  ["a//b/", "a//b/"],
  ["%E2%82%AC/%20", "€/ "],
  ["a%252Fb", "a%2Fb"],
  ["%2B", "+"],
  ["+/%23", "+/#"],
  ["__proto__/constructor", "__proto__/constructor"],
];

Deno.test("everything behind the prefix is the topic, percent-decoded", () => {
  for (const [path, topic] of good) assert.equal(topicOf(`/api/topics/${path}`), topic);
});

const refused = (check: () => unknown, about: string): void => {
  assert.throws(
    check,
    (error) => error instanceof Problem && error.type === "invalid-topic",
    about,
  );
};

Deno.test("what is no topic is refused", () => {
  const paths = ["", "%", "%zz", "%ff", "a%00", "a%0Ab", "a%0D", "x".repeat(1_025), "/".repeat(65)];
  for (const path of paths) refused(() => topicOf(`/api/topics/${path}`), path);
});

Deno.test("a name has no wildcards, a filter has them where they belong", () => {
  for (const name of ["+", "a/#", "a+b", "#"]) refused(() => checkName(name), name);
  for (const filter of ["a+", "#/a", "a/b#", "$share/g/a"]) {
    refused(() => checkFilter(filter), filter);
  }
  for (const name of ["a", "/", "$SYS/x"]) checkName(name);
  for (const filter of ["a", "+", "#", "a/+/#", "$SYS/#"]) checkFilter(filter);
});
