import assert from "node:assert/strict";
import fc from "fast-check";
import { isText, isTopicFilter, isTopicName } from "./text.ts";

const fatal = new TextDecoder("utf-8", { fatal: true });

function decodes(bytes: Uint8Array): boolean {
  try {
    return !fatal.decode(bytes).includes("\0");
  } catch {
    return false;
  }
}

Deno.test("isText agrees with the platform's decoder", () => {
  const interesting = fc.constantFrom(
    ...[0x00, 0x01, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf],
    ...[0xe0, 0xe1, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf4, 0xf5, 0xff],
  );
  const bytes = fc.array(interesting, { maxLength: 8 }).map((list) => Uint8Array.from(list));
  fc.assert(
    fc.property(bytes, (input) => {
      assert.equal(isText(input, 0, input.length), decodes(input));
    }),
    { numRuns: 20_000, seed: 1 },
  );
});

Deno.test("isText reads its range only", () => {
  const bytes = Uint8Array.of(0xff, 0xc3, 0xa9, 0xc3);
  assert.equal(isText(bytes, 1, 3), true);
  assert.equal(isText(bytes, 1, 4), false);
  assert.equal(isText(bytes, 1, 1), true);
});

Deno.test("topic names", () => {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  for (const name of ["a", "/", "a/b", "$SYS/x", " ", "наука/1", "🌡️"]) {
    assert.equal(isTopicName(bytes(name), 0, bytes(name).length), true, name);
  }
  for (const name of ["", "+", "a/#", "a+b", "é/+", "é#", "é\0", "\0"]) {
    assert.equal(isTopicName(bytes(name), 0, bytes(name).length), false, name);
  }
});

Deno.test("topic filters", () => {
  for (
    const filter of ["a", "#", "+", "/", "a/+/b", "+/+", "a/#", "/+", "$share/g/a/#", "$share/g//"]
  ) {
    assert.equal(isTopicFilter(filter), true, filter);
  }
  for (
    const filter of [
      "",
      "a#",
      "#/a",
      "a+/b",
      "+a",
      "$share/g",
      "$share//a",
      "$share/g+/a",
      "$share/g/",
    ]
  ) {
    assert.equal(isTopicFilter(filter), false, filter);
  }
});
