/**
 * The readings of one sender that are due, on their way or acknowledged, for transports whose
 * messages are JSON.
 *
 * @module
 */
import { InFlight } from "./in_flight.ts";
import type { LoadBook } from "./load_book.ts";
import type { PayloadImage } from "./payload_image.ts";
import type { ConnectionSchedule } from "./schedule.ts";

export interface ReadingWindowOptions {
  /** Of this sender's devices, which take turns. */
  readonly images: readonly PayloadImage[];
  readonly schedule: ConnectionSchedule;
  readonly book: LoadBook;
  /** Most readings in flight, 1 to 65,535. */
  readonly window: number;
}

/** Readings are numbered from 0. */
export class ReadingWindow {
  readonly #images: readonly PayloadImage[];
  readonly #schedule: ConnectionSchedule;
  readonly #book: LoadBook;
  readonly #inFlight: InFlight;
  readonly #max: number;
  /** Readings below this are out on the present connection. */
  #outUpTo = 0;

  constructor({ images, schedule, book, window }: ReadingWindowOptions) {
    if (images.length === 0) throw new RangeError("A sender needs a device");
    this.#images = images;
    this.#schedule = schedule;
    this.#book = book;
    this.#inFlight = new InFlight(window);
    this.#max = window;
  }

  get sent(): number {
    return this.#inFlight.next;
  }

  /** Nothing is in flight, and nothing will be due. */
  finished(nowMs: number): boolean {
    return this.#inFlight.count === 0 && this.#schedule.finished(this.sent, nowMs);
  }

  /** What is not acknowledged is to be sent again. */
  restart(): void {
    this.#outUpTo = this.#inFlight.first;
  }

  /**
   * The next reading to send with at most `room` on their way: those to be sent again, in their
   * order, then what is due. -1 when there is none now.
   */
  next(nowMs: number, room: number): number {
    const inFlight = this.#inFlight;
    this.#outUpTo = Math.max(this.#outUpTo, inFlight.first);
    while (this.#outUpTo < inFlight.next && inFlight.isClosed(this.#outUpTo)) this.#outUpTo++;
    if (this.#outUpTo - inFlight.first >= Math.min(room, this.#max)) return -1;
    if (this.#outUpTo < inFlight.next) {
      this.#book.totals.resent++;
      return this.#outUpTo++;
    }
    if (inFlight.next >= this.#schedule.allowed(nowMs)) return -1;
    const k = inFlight.send(this.#schedule.dueMs(inFlight.next, nowMs), nowMs);
    this.#outUpTo = inFlight.next;
    this.#book.totals.sent++;
    return k;
  }

  topic(k: number): string {
    return this.#image(k).topic;
  }

  /** The payload as JSON. */
  payload(k: number): string {
    return this.#image(k).json(this.#counter(k));
  }

  /** Reading `k` is settled: stored as far as the server is concerned, or with `reason` not. */
  settled(k: number, nowMs: number, reason?: string): void {
    const inFlight = this.#inFlight;
    if (!(k >= inFlight.first && k < inFlight.next) || inFlight.isClosed(k)) {
      this.#book.totals.strayAcknowledgements++;
      return;
    }
    const counter = this.#counter(k);
    if (reason !== undefined) this.#book.reason(reason);
    // Poison is settled when it is turned away.
    if (reason === undefined || this.#image(k).isPoison(counter)) {
      const { device } = this.#image(k);
      this.#book.acknowledged(device, counter, inFlight.dueMs(k), inFlight.sentMs(k), nowMs);
    } else {
      this.#book.totals.rejected++;
    }
    inFlight.close(k);
  }

  #image(k: number): PayloadImage {
    return this.#images[k % this.#images.length]!;
  }

  #counter(k: number): number {
    return Math.floor(k / this.#images.length);
  }
}
