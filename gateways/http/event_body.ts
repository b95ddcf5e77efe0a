/**
 * The body of an answer of Server-Sent Events that goes at its reader's pace: the next event is asked
 * for when the one before was taken.
 *
 * @module
 */
import type { Clock, Timer } from "../../runtime/clock.ts";

/** How often something is sent at least, so that both ends know the other is there. */
export const aliveMs = 15_000;
/** What is sent when there is nothing else; a comment, which no viewer is shown. */
export const stillHere = ": still here\n\n";

/** See the module. */
export class EventBody {
  readonly stream: ReadableStream<Uint8Array>;
  readonly #encoder = new TextEncoder();
  readonly #clock: Clock;
  readonly #onEnd: () => void;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #timer: Timer | undefined;
  #waited: (isWoken: boolean) => void = () => {};
  #ended = false;

  /** `next` sends one text, or closes; `onEnd` is called once, whichever side ended it. */
  constructor(clock: Clock, next: () => Promise<void>, onEnd: () => void) {
    this.#clock = clock;
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

  /** For `next`: false when the time was up, true when it was woken, or ended, before. */
  async wait(ms: number): Promise<boolean> {
    if (this.#ended || ms <= 0) return this.#ended;
    return await new Promise<boolean>((resolve) => {
      this.#waited = resolve;
      this.#timer = this.#clock.setTimer(ms, () => resolve(false));
    });
  }

  /** Ends the wait that is under way. */
  wake(): void {
    this.#timer?.clear();
    this.#waited(true);
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
    this.wake();
    this.#onEnd();
  }
}
