import assert from "node:assert/strict";
import { grouped, Progress, type ProgressOutput } from "./progress.ts";

function output(isTerminal: boolean, columns = 80): ProgressOutput & { readonly texts: string[] } {
  const texts: string[] = [];
  return { isTerminal, columns, texts, write: (text) => texts.push(text) };
}

Deno.test("progress: a terminal's line is redrawn, cut to fit, and taken away", () => {
  const terminal = output(true, 40);
  const progress = new Progress(terminal);
  progress.update(0, 0.5, () => "half of it, and a long tail of words");
  progress.update(100, 0.6, () => "too soon");
  progress.update(200, 2, () => "done");
  progress.end();
  progress.end();
  assert.deepEqual(terminal.texts, [
    "\r\x1b[K████████████░░░░░░░░░░░░  50 %  half of",
    "\r\x1b[K████████████████████████ 100 %  done",
    "\r\x1b[K",
  ]);
});

Deno.test("progress: elsewhere a line every five seconds, and nothing to take away", () => {
  const file = output(false);
  const progress = new Progress(file);
  for (let ms = 0; ms <= 5_000; ms += 500) progress.update(ms, undefined, () => `${ms}`);
  progress.end();
  assert.deepEqual(file.texts, ["0\n", "5000\n"]);
});

Deno.test("progress: without an output nothing is made", () => {
  new Progress(undefined).update(0, 0, () => assert.fail());
  assert.equal(grouped(1_234_567.4), "1,234,567");
});
