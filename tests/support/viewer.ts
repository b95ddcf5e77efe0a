/**
 * Who reads Server-Sent Events, as a test sees it.
 *
 * @module
 */
import assert from "node:assert/strict";

/** An event as it came. */
export interface StreamEvent {
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly id: string;
}

/** Reads a stream of events until it is disposed of. */
export class Viewer implements AsyncDisposable {
  readonly events: StreamEvent[] = [];
  readonly #stop = new AbortController();
  readonly #reading: Promise<void>;

  constructor(url: string, headers: Readonly<Record<string, string>> = {}) {
    this.#reading = this.#read(url, headers).catch((cause: unknown) => {
      if (!this.#stop.signal.aborted) throw cause;
    });
  }

  get lastId(): string {
    return this.events.findLast(({ id }) => id !== "")?.id ?? "";
  }

  async #read(url: string, headers: Readonly<Record<string, string>>): Promise<void> {
    const answer = await fetch(url, { headers, signal: this.#stop.signal });
    assert.equal(answer.headers.get("content-type"), "text/event-stream");
    let text = "";
    for await (const chunk of (answer.body ?? assert.fail()).pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const blocks = text.split("\n\n");
      text = blocks.pop() ?? "";
      for (const block of blocks) {
        const line = (name: string) =>
          block.split("\n").find((one) => one.startsWith(`${name}: `))?.slice(name.length + 2) ??
            "";
        if (line("event") === "") continue;
        this.events.push({ name: line("event"), data: JSON.parse(line("data")), id: line("id") });
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#reading;
  }
}
