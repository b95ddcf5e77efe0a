import assert from "node:assert/strict";
import fc from "fast-check";
import { clientFrame } from "../testing/client_frames.ts";
import { frameHead, opcodes, WireError } from "./frame_head.ts";

const bytesMax = 1_000_000;

function codeOf(bytes: Uint8Array): number | undefined {
  try {
    frameHead(bytes, 0, bytes.length, bytesMax);
    return undefined;
  } catch (error) {
    if (error instanceof WireError) return error.code;
    throw error;
  }
}

Deno.test("a head says what the frame has, in every form of its length", () => {
  for (const length of [0, 1, 125, 126, 65_535, 65_536, bytesMax]) {
    const bytes = clientFrame({ opcode: opcodes.binary, final: false, announcedBytes: length });
    const head = frameHead(bytes, 0, bytes.length, bytesMax);
    assert.deepEqual(head, {
      opcode: opcodes.binary,
      final: false,
      length,
      maskAt: bytes.length - 4,
      end: bytes.length,
    });
  }
});

Deno.test("what no client may send is refused from its head", () => {
  const { text, ping, close } = opcodes;
  const refused: Readonly<Record<string, readonly [Uint8Array, number]>> = {
    "RSV1, as compression has it": [clientFrame({ opcode: text, reserved: 0x40 }), 1002],
    RSV2: [clientFrame({ opcode: text, reserved: 0x20 }), 1002],
    RSV3: [clientFrame({ opcode: text, reserved: 0x10 }), 1002],
    "an opcode of data that is none": [clientFrame({ opcode: 3 }), 1002],
    "an opcode of control that is none": [clientFrame({ opcode: 11 }), 1002],
    "no mask": [clientFrame({ opcode: text, payload: "x", unmasked: true }), 1002],
    "a ping in parts": [clientFrame({ opcode: ping, final: false }), 1002],
    "a ping of 126 bytes": [clientFrame({ opcode: ping, announcedBytes: 126 }), 1002],
    "a close of 64 KiB": [clientFrame({ opcode: close, announcedBytes: 65_536 }), 1002],
    "a short length in 16 bits": [new Uint8Array([0x81, 0xfe, 0, 125]), 1002],
    "a short length in 64 bits": [new Uint8Array([0x81, 0xff, 0, 0, 0, 0, 0, 0, 255, 255]), 1002],
    "a length of 64 bits": [new Uint8Array([0x81, 0xff, 128, 0, 0, 0, 0, 0, 0, 0]), 1002],
    "64 MB": [clientFrame({ opcode: text, announcedBytes: 64e6 }).subarray(0, 10), 1009],
    "2 to the 63rd, less one": [new Uint8Array([0x81, 0xff, 127, ...Array(7).fill(255)]), 1009],
    "a byte too many": [clientFrame({ opcode: text, announcedBytes: bytesMax + 1 }), 1009],
  };
  for (const [name, [bytes, code]] of Object.entries(refused)) {
    assert.equal(codeOf(bytes), code, name);
  }
});

Deno.test("a head that has not come whole is waited for, if nothing is wrong with it yet", () => {
  const frames = fc.record({
    opcode: fc.constantFrom(...Object.values(opcodes)),
    announcedBytes: fc.oneof(fc.nat(125), fc.nat(65_535), fc.nat(bytesMax)),
    mask: fc.array(fc.nat(255), { minLength: 4, maxLength: 4 }),
  });
  fc.assert(fc.property(frames, (frame) => {
    const announcedBytes = frame.opcode < 8 ? frame.announcedBytes : frame.announcedBytes % 126;
    const bytes = clientFrame({ ...frame, announcedBytes });
    for (let end = 0; end < bytes.length; end++) {
      assert.equal(frameHead(bytes, 0, end, bytesMax), undefined);
    }
    assert.equal(frameHead(bytes, 0, bytes.length, bytesMax)?.length, announcedBytes);
  }));
});

Deno.test("whatever bytes come, a head is one, not whole, or refused", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) => {
      codeOf(bytes);
    }),
    { numRuns: 5_000 },
  );
});
