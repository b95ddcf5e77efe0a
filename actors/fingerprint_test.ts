import assert from "node:assert/strict";
import { Fingerprint, hashBytes, hashText } from "./fingerprint.ts";

const utf8 = new TextEncoder();

Deno.test("fingerprints of similar payloads differ, in each half", () => {
  const fingerprint = new Fingerprint();
  const all = new Set<string>();
  const halves = [new Set<number>(), new Set<number>()];
  const count = 50_000;
  for (let i = 0; i < count; i++) {
    const payload = utf8.encode(`{"temperature":23.45,"seq":${1_000_000 + i}}`);
    fingerprint.of(payload, 0, payload.length, 7, 0);
    all.add(`${fingerprint.hi}/${fingerprint.lo}`);
    halves[0]!.add(fingerprint.hi);
    halves[1]!.add(fingerprint.lo);
  }
  assert.equal(all.size, count);
  // By chance alone 50,000 of 2^32 meet 0.3 times.
  for (const half of halves) assert.ok(half.size >= count - 5, String(half.size));
});

Deno.test("a fingerprint depends on the bytes and the seeds, not on where they lie", () => {
  const fingerprint = new Fingerprint();
  const of = (text: string, offset: number, a = 1, b = 2) => {
    const data = utf8.encode("#".repeat(offset) + text + "#");
    fingerprint.of(data, offset, data.length - 1, a, b);
    return `${fingerprint.hi}/${fingerprint.lo}`;
  };
  for (const text of ["", "a", "abc", "abcd", "abcdefg"]) {
    assert.equal(of(text, 0), of(text, 3));
    assert.notEqual(of(text, 0), of(text, 0, 2));
    assert.notEqual(of(text, 0), of(text, 0, 1, 3));
    assert.notEqual(of(text, 0), of(`${text}\0`, 0));
  }
});

Deno.test("the hash that chooses a device's owner never changes, and spreads", () => {
  assert.deepEqual(["UPB~RPi_1", "d1", ""].map(hashText), [3276820756, 2485068063, 2872998923]);
  const shards = [0, 0, 0, 0];
  for (let i = 0; i < 10_000; i++) shards[hashText(`d${i}`) % 4]!++;
  for (const share of shards) assert.ok(share > 2_300 && share < 2_700, String(shards));
});

Deno.test("the hash of a text is that of its UTF-8, however long it is and whatever came before", () => {
  for (
    const text of ["hall~1", "Käfer~€~😀", "d".repeat(2_000), "€".repeat(341), "€".repeat(342), ""]
  ) {
    const bytes = utf8.encode(text);
    assert.equal(hashText(text), hashBytes(bytes, 0, bytes.length), text);
  }
});
