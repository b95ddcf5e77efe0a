import assert from "node:assert/strict";
import fc from "fast-check";
import { isJsonNumber } from "./json_number.ts";

const isParsed = (text: string): boolean => {
  try {
    return typeof JSON.parse(text) === "number" && text === text.trim();
  } catch {
    return false;
  }
};

Deno.test("a text is a number of JSON when JSON reads it as one", () => {
  for (
    const text of ["", "-", "0", "-0", "01", "+1", ".5", "5.", "1e", "1E+7", "0x1", " 1", "NaN"]
  ) {
    assert.equal(isJsonNumber(text), isParsed(text), JSON.stringify(text));
  }
  const part = fc.constantFrom("-", "+", "0", "1", "90", ".", "e", "E", " ");
  fc.assert(fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
    assert.equal(isJsonNumber(parts.join("")), isParsed(parts.join("")));
  }));
});
