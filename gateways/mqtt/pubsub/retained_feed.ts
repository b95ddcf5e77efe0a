/**
 * The retained messages of one subscription, a page at a time, in the order of their topics.
 *
 * @module
 */
import type { Qos } from "../codec/publish.ts";
import type { Waiting } from "./delivery_queue.ts";
import type { Message } from "./message.ts";

/** A part of the retained messages that match a filter. */
export interface RetainedPage {
  readonly messages: readonly Message[];
  /** The last topic that was looked at; `undefined`: that was all. */
  readonly after: string | undefined;
  /** The file failed: there may be more. */
  readonly failed?: boolean;
}

/** Where retained messages are read from. */
export interface RetainedSource {
  /** What comes after topic `after`; from the beginning when it is `undefined`. */
  page(filter: string, after: string | undefined, nowMs: number): RetainedPage;
}

/** See the module. */
export class RetainedFeed {
  /** Of the subscription. */
  readonly name: string;
  readonly #source: RetainedSource;
  readonly #qos: Qos;
  readonly #ids: readonly number[];
  #after: string | undefined;
  #done = false;

  /** `after`: where another one had come to. */
  constructor(
    source: RetainedSource,
    filter: string,
    qos: Qos,
    ids: readonly number[],
    after?: string,
  ) {
    this.#after = after;
    this.#source = source;
    this.name = filter;
    this.#qos = qos;
    this.#ids = ids;
  }

  /** The last topic that was looked at; `undefined` at the beginning and at the end. */
  get after(): string | undefined {
    return this.#after;
  }

  get done(): boolean {
    return this.#done;
  }

  next(nowMs: number): Waiting[] {
    const { messages, after } = this.#source.page(this.name, this.#after, nowMs);
    this.#after = after;
    this.#done = after === undefined;
    return messages.map((message) => ({
      message,
      qos: Math.min(message.qos, this.#qos) as Qos,
      retain: true,
      ids: this.#ids,
    }));
  }
}
