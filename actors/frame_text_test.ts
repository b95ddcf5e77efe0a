import assert from "node:assert/strict";
import fc from "fast-check";
import { FrameText } from "./frame_text.ts";

const utf8 = new TextEncoder();
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

Deno.test("a range of a frame has the text that it has by itself", () => {
  const part = fc.oneof(
    fc.string({ unit: "binary-ascii" }).map((text) => utf8.encode(text)),
    fc.string({ unit: "grapheme" }).map((text) => utf8.encode(text)),
    fc.uint8Array({ maxLength: 8 }),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
      const data = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
      const frames = new FrameText();
      let end = 0;
      for (const bytes of parts) {
        data.set(bytes, end);
        end += bytes.length;
      }
      let start = 0;
      for (const bytes of parts) {
        const range = [data, start, start + bytes.length] as const;
        let expected: string | undefined;
        try {
          expected = strict.decode(bytes);
        } catch {
          expected = undefined;
        }
        if (expected === undefined) assert.throws(() => frames.text(...range), TypeError);
        else assert.equal(frames.text(...range), expected);
        start += bytes.length;
      }
    }),
  );
});
