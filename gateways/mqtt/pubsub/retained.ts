/**
 * Retained messages: in one file that all shards share, so that each shard sees what any of them
 * was given, and a restart or a kill loses none. Writes gather and go to the file in one
 * transaction before the publisher is acknowledged. Nothing is held in memory but SQLite's cache.
 *
 * A kill of the process loses nothing; after a loss of power the last writes may be missing, never
 * damaged (write-ahead log, synced at its checkpoints). A disk that fails costs the retained
 * messages of that time, which are counted, and nothing else.
 *
 * @module
 */
import { PacketWriter } from "../codec/writer.ts";
import type { Message } from "./message.ts";
import { writeMessage } from "./message_record.ts";
import type { RetainedPage, RetainedSource } from "./retained_feed.ts";
import { type RetainedBounds, RetainedFile, type RetainedRecord } from "./retained_file.ts";

/** The bounds are those of the whole file; a message beyond them is not kept. */
export interface RetainedOptions extends RetainedBounds {
  readonly file: string;
  /** Wall time, ms. */
  now(): number;
  /** Messages were not kept for want of room. */
  refused(count: number): void;
  /** Opening, writing or reading failed; so many messages are lost by it. */
  failed(cause: unknown, count: number): void;
}

/** What gathers before it is written at once. */
const pendingMax = 1_000;
const pendingBytesMax = 1 << 20;

const nothing: RetainedPage = { messages: [], after: undefined };

/** See the module. */
export class Retained implements RetainedSource {
  readonly #options: RetainedOptions;
  /** `undefined` while it cannot be opened. */
  #file: RetainedFile | undefined;
  /** By topic; `null`: to be deleted. */
  readonly #pending = new Map<string, RetainedRecord | null>();
  readonly #writer = new PacketWriter();
  #pendingBytes = 0;

  /** Opens or makes the file; when that fails it is tried again with every use. */
  constructor(options: RetainedOptions) {
    this.#options = options;
    this.#try((file) => file.total, 0);
  }

  /** Messages in the file, and their bytes. */
  get total(): { readonly count: number; readonly bytes: number } {
    return this.#try((file) => file.total, 0) ?? { count: 0, bytes: 0 };
  }

  /** Keeps the message for its topic, or with an empty payload deletes what is kept there. */
  keep(message: Message): void {
    let record: RetainedRecord | null = null;
    if (message.payload.length > 0) {
      this.#writer.length = 0;
      writeMessage(this.#writer, message);
      const expiresMs = message.expiresMs === Infinity ? null : message.expiresMs;
      record = { bytes: this.#writer.bytes.slice(0, this.#writer.length), expiresMs };
      this.#pendingBytes += record.bytes.length;
    }
    this.#pending.set(message.topic, record);
    if (this.#pending.size >= pendingMax || this.#pendingBytes >= pendingBytesMax) this.flush();
  }

  /** Writes what gathered. */
  flush(): void {
    if (this.#pending.size === 0) return;
    const { now, refused } = this.#options;
    const write = (file: RetainedFile) => file.write(this.#pending, this.#options, now());
    const count = this.#try(write, this.#pending.size) ?? 0;
    if (count > 0) refused(count);
    this.#pending.clear();
    this.#pendingBytes = 0;
  }

  page(filter: string, after: string | undefined, nowMs: number): RetainedPage {
    this.flush();
    const damaged = (cause: unknown): void => this.#options.failed(cause, 1);
    return this.#try((file) => file.page(filter, after, nowMs, damaged), 0) ?? nothing;
  }

  close(): void {
    this.flush();
    this.#file?.close();
    this.#file = undefined;
  }

  #try<T>(use: (file: RetainedFile) => T, count: number): T | undefined {
    const { file, now, failed } = this.#options;
    try {
      return use(this.#file ??= new RetainedFile(file, now()));
    } catch (cause) {
      failed(cause, count);
      return undefined;
    }
  }
}
