import assert from "node:assert/strict";
import { jsonLines } from "./json_lines.ts";

Deno.test("JSON lines: whole, wherever the body is cut", async () => {
  const bytes = new TextEncoder().encode('{"a":"é"}\n\n[1]\n2');
  for (let at = 0; at <= bytes.length; at++) {
    const body = ReadableStream.from([bytes.slice(0, at), bytes.slice(at)]);
    assert.deepEqual(await Array.fromAsync(jsonLines(new Response(body))), [{ a: "é" }, [1], 2]);
  }
  assert.deepEqual(await Array.fromAsync(jsonLines(new Response(null))), []);
});
