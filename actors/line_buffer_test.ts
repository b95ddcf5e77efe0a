import assert from "node:assert/strict";
import fc from "fast-check";
import { anyText } from "../runtime/testing/any_text.ts";
import { LineBuffer } from "./line_buffer.ts";

Deno.test("text is appended as UTF-8, whatever it is and however little room there was", () => {
  const text = anyText({ maxLength: 80 });
  fc.assert(fc.property(fc.array(text), fc.nat({ max: 64 }), (texts, capacity) => {
    const buffer = new LineBuffer(capacity);
    for (const part of texts) buffer.appendText(part);
    const expected = texts.map((part) => new TextEncoder().encode(part));
    assert.deepEqual(
      [...buffer.bytes.subarray(0, buffer.length)],
      expected.flatMap((bytes) => [...bytes]),
    );
  }));
});

Deno.test("bytes are appended by range, one by one, and over what was taken back", () => {
  const buffer = new LineBuffer(1);
  const source = Uint8Array.from({ length: 200 }, (_, i) => i);
  buffer.append(source, 10, 12);
  buffer.append(source, 100);
  buffer.length = 2;
  buffer.push(7);
  assert.deepEqual([...buffer.bytes.subarray(0, buffer.length)], [10, 11, 7]);
});
