import assert from "node:assert/strict";
import { noProperties } from "../../mqtt/codec/properties.ts";
import { Message } from "../../mqtt/pubsub/message.ts";
import { SharedChunks } from "./shared_chunks.ts";
import { Watch } from "./watch.ts";

let sequence = 0;

function busyWatch(followers = 2) {
  const watch = new Watch("a/#");
  watch.followers = followers;
  const say = (text: string, expiresMs = Infinity) => {
    const payload = new TextEncoder().encode(text);
    const fields = { topic: "a/b", payload, retain: false, properties: noProperties, expiresMs };
    watch.push({ sequence: ++sequence, atMs: 0, message: new Message({ ...fields, qos: 1 }) });
  };
  return { watch, say };
}

const chunksOf = (bytesMax = 1 << 20, chunkChars = 1 << 16) =>
  new SharedChunks({ bytesMax, chunkChars, epoch: "e" });

const payloads = ({ bytes }: { readonly bytes: Uint8Array }): string[] =>
  [...new TextDecoder().decode(bytes).matchAll(/"payload":"(.*?)"/g)].map(([, text]) => text ?? "");

Deno.test("who comes to the same place gets the same bytes, also when more has come since", () => {
  const { watch, say } = busyWatch();
  const chunks = chunksOf();
  say("1");
  say("2");
  const first = chunks.from(watch, 0, 0);
  say("3");
  assert.equal(chunks.from(watch, 0, 0), first);
  assert.deepEqual([first.from, first.to, payloads(first)], [0, 2, ["1", "2"]]);
  assert.deepEqual(payloads(chunks.from(watch, 2, 0)), ["3"]);
  assert.deepEqual(payloads(chunks.from(watch, 1, 0)), ["2", "3"]);
});

Deno.test("a message that has expired since is not in what is sent", () => {
  const { watch, say } = busyWatch();
  const chunks = chunksOf();
  say("short", 1_000);
  say("long");
  assert.deepEqual(payloads(chunks.from(watch, 0, 999)), ["short", "long"]);
  assert.deepEqual(payloads(chunks.from(watch, 0, 1_000)), ["long"]);
});

Deno.test("a chunk ends when it is large, with the message it is in", () => {
  const { watch, say } = busyWatch();
  const chunks = chunksOf(1 << 20, 1_000);
  for (const text of ["x".repeat(600), "y".repeat(600), "z"]) say(text);
  const { to, full } = chunks.from(watch, 0, 0);
  assert.deepEqual([to, full], [2, true]);
  assert.equal(chunks.from(watch, 2, 0).full, false);
});

Deno.test("all that is kept for others has its limit, and nothing is kept for one alone", () => {
  const chunks = chunksOf(5_000);
  const watches = [1, 2, 3, 4].map(() => busyWatch());
  for (const { watch, say } of watches) {
    say("x".repeat(2_000));
    chunks.from(watch, 0, 0);
    assert.ok(chunks.bytes > 2_000 && chunks.bytes <= 5_000, String(chunks.bytes));
  }
  const { watch, say } = busyWatch();
  say("x".repeat(6_000));
  const before = chunks.bytes;
  assert.equal(payloads(chunks.from(watch, 0, 0)).length, 1);
  assert.equal(chunks.bytes, before, "too large to be kept");
  for (const { watch } of watches) chunks.forget(watch);
  assert.equal(chunks.bytes, 0);
  const alone = busyWatch(1);
  alone.say("1");
  assert.equal(chunks.from(alone.watch, 0, 0).to, 1);
  assert.equal(chunks.bytes, 0);
});
