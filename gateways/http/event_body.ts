/**
 * The body of an answer of Server-Sent Events that goes at its reader's pace: the next event is asked
 * for when the one before was taken.
 *
 * @module
 */

/** How often something is sent at least, so that both ends know the other is there. */
export const aliveMs = 15_000;

/** See the module. */
export class EventBody {
  readonly stream: ReadableStream<Uint8Array>;
  readonly #encoder = new TextEncoder();
  readonly #onEnd: () => void;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #ended = false;

  /** `next` sends one text, or closes; `onEnd` is called once, whichever side ended it. */
  constructor(next: () => Promise<void>, onEnd: () => void) {
    this.#onEnd = onEnd;
    this.stream = new ReadableStream({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: next,
      cancel: () => this.#end(),
    }, { highWaterMark: 1 });
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Sends events, or a comment, in their written form. Bytes may go to many and do not change. */
  send(events: string | Uint8Array): void {
    const bytes = typeof events === "string" ? this.#encoder.encode(events) : events;
    this.#controller?.enqueue(bytes);
  }

  /** Ends the stream; the viewer comes back and goes on with its last id. */
  close(): void {
    if (this.#ended) return;
    this.#end();
    this.#controller?.close();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#onEnd();
  }
}
