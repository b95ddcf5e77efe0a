import assert from "node:assert/strict";
import { Output, WriterPool } from "./output.ts";
import { settle } from "./testing.ts";

class SlowSink {
  readonly written: number[] = [];
  readonly sizes: number[] = [];
  bytesPerWrite = Infinity;
  fail = false;
  noDelay: boolean | undefined;
  #release: (() => void) | undefined;

  write(bytes: Uint8Array): Promise<number> {
    this.sizes.push(bytes.length);
    return new Promise((resolve, reject) => {
      this.#release = () => {
        if (this.fail) return reject(new Error("broken"));
        const count = Math.min(this.bytesPerWrite, bytes.length);
        this.written.push(...bytes.subarray(0, count));
        resolve(count);
      };
    });
  }

  setNoDelay(noDelay: boolean): void {
    if (this.fail) throw new Error("closed");
    this.noDelay = noDelay;
  }

  async pass(): Promise<void> {
    this.#release?.();
    await settle();
  }
}

function outputTo(sink: SlowSink): { output: Output; events: string[] } {
  const events: string[] = [];
  const output = new Output(sink, new WriterPool(), {
    drained: () => events.push("drained"),
    writeFailed: (error) => events.push(String(error)),
  });
  return { output, events };
}

Deno.test("from the second write on, a small one does not wait for the one before to arrive", async () => {
  const sink = new SlowSink();
  const { output } = outputTo(sink);
  for (const seen of [undefined, true]) {
    output.writer.byte(1);
    output.flush();
    assert.equal(sink.noDelay, seen);
    await sink.pass();
  }
});

Deno.test("a connection that closed between two writes fails the second, and throws at nobody", async () => {
  const sink = new SlowSink();
  const { output, events } = outputTo(sink);
  output.writer.byte(1);
  output.flush();
  await sink.pass();
  sink.fail = true;
  output.writer.byte(2);
  output.flush();
  await sink.pass();
  assert.deepEqual(events, ["drained", "Error: broken"]);
});

Deno.test("what comes while a write is under way goes out together in the next one", async () => {
  const sink = new SlowSink();
  const { output, events } = outputTo(sink);
  for (let byte = 1; byte <= 4; byte++) {
    output.writer.byte(byte);
    output.flush();
  }
  assert.equal(output.waitingBytes, 4);
  await sink.pass();
  assert.deepEqual(events, []);
  await sink.pass();
  assert.deepEqual(sink.sizes, [1, 3]);
  assert.deepEqual(sink.written, [1, 2, 3, 4]);
  assert.deepEqual(events, ["drained"]);
  assert.equal(output.waitingBytes, 0);
});

Deno.test("a short write goes on where it stopped", async () => {
  const sink = new SlowSink();
  sink.bytesPerWrite = 2;
  const { output } = outputTo(sink);
  for (let byte = 1; byte <= 5; byte++) output.writer.byte(byte);
  output.flush();
  await sink.pass();
  assert.equal(output.waitingBytes, 3);
  await sink.pass();
  await sink.pass();
  assert.deepEqual(sink.written, [1, 2, 3, 4, 5]);
});

Deno.test("flushing nothing writes nothing", async () => {
  const sink = new SlowSink();
  const { output, events } = outputTo(sink);
  output.flush();
  assert.equal(output.writer.length, 0);
  output.flush();
  await settle();
  assert.deepEqual(sink.sizes, []);
  assert.deepEqual(events, []);
});

Deno.test("a failed write is told once, and nothing more is written", async () => {
  const sink = new SlowSink();
  sink.fail = true;
  const { output, events } = outputTo(sink);
  output.writer.byte(1);
  output.flush();
  output.writer.byte(2);
  await sink.pass();
  output.writer.byte(3);
  output.flush();
  await settle();
  assert.deepEqual(events, ["Error: broken"]);
  assert.deepEqual(sink.sizes, [1]);
});

Deno.test("what is on its way at the first look is not yet stalled", async () => {
  const sink = new SlowSink();
  const { output } = outputTo(sink);
  output.writer.byte(1);
  output.flush();
  assert.equal(output.stalledMs(60_000), 0);
  assert.equal(output.stalledMs(61_000), 1_000);
  await sink.pass();
});

Deno.test("says how long nothing was taken", async () => {
  const sink = new SlowSink();
  const { output } = outputTo(sink);
  assert.equal(output.stalledMs(100), 0);
  output.writer.byte(1);
  output.flush();
  assert.equal(output.stalledMs(300), 200);
  output.writer.byte(2);
  await sink.pass();
  output.flush();
  assert.equal(output.stalledMs(400), 0);
  assert.equal(output.stalledMs(450), 50);
  await sink.pass();
  assert.equal(output.stalledMs(500), 0);
});
