/**
 * Any text at all, for property tests. fast-check's own `unit: "binary"` is the same, but takes
 * seconds of every test file to list all code points first.
 *
 * @module
 */
import fc from "fast-check";

const [surrogatesFrom, surrogates, codePoints] = [0xd800, 0x800, 0x110000];

const textOf = (index: number): string =>
  String.fromCodePoint(index < surrogatesFrom ? index : index + surrogates);

function indexOf(text: unknown): number {
  const point = typeof text === "string" ? text.codePointAt(0) : undefined;
  if (point === undefined || String.fromCodePoint(point) !== text) {
    throw new TypeError(`Cannot shrink ${text}: it is not one code point`);
  }
  return point < surrogatesFrom ? point : point - surrogates;
}

/** Every code point but halves of surrogate pairs. */
const codePoint = fc.integer({ min: 0, max: codePoints - surrogates - 1 }).map(textOf, indexOf);

/** See the module. */
export const anyText = (
  lengths: { readonly minLength?: number; readonly maxLength?: number } = {},
): fc.Arbitrary<string> => fc.string({ ...lengths, unit: codePoint });
