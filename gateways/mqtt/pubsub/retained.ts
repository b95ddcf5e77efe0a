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
import { RetainedPending } from "./retained_pending.ts";

/** The bounds are those of the whole file; a message beyond them is not kept. */
export interface RetainedOptions extends RetainedBounds {
  readonly file: string;
  /** Wall time, ms. */
  now(): number;
  /** Messages were not kept for want of room. */
  refused(count: number): void;
  /** A message was, or is to be, not kept, because the account owns as many as it may. */
  overQuota(account: string): void;
  /** Opening, writing or reading failed; so many messages are lost by it. */
  failed(cause: unknown, count: number): void;
}

/** What gathers before it is written at once. */
const pendingMax = 1_000;
const pendingBytesMax = 1 << 20;

const unread: RetainedPage = { messages: [], after: undefined, failed: true };

/** See the module. */
export class Retained implements RetainedSource {
  readonly #options: RetainedOptions;
  /** `undefined` while it cannot be opened. */
  #file: RetainedFile | undefined;
  readonly #pending = new RetainedPending();
  /** What was asked for last, and may be kept: nobody looks twice. */
  #granted: { readonly topic: string; readonly owner: string } | undefined;
  readonly #writer = new PacketWriter();

  /** Opens or makes the file; when that fails it is tried again with every use. */
  constructor(options: RetainedOptions) {
    this.#options = options;
    this.#try((file) => file.total, 0);
  }

  /** Messages in the file, and their bytes. */
  get total(): { readonly count: number; readonly bytes: number } {
    return this.#try((file) => file.total, 0) ?? { count: 0, bytes: 0 };
  }

  /**
   * Whether an account may have a message kept for the topic; if not, that is counted. It holds until
   * the end of the turn, but for what another shard writes meanwhile: then the message is not kept.
   */
  mayKeep(topic: string, owner: string): boolean {
    if (owner === "") return true;
    const max = this.#options.ownedMax(owner);
    if (max === Infinity) return true;
    const allowed = this.#try((file) => this.#mayOwn(file, topic, owner, max), 0) ?? true;
    this.#granted = allowed ? { topic, owner } : undefined;
    if (!allowed) this.#options.overQuota(owner);
    return allowed;
  }

  /** Without a write, so that what is refused costs no more than what is kept. */
  #mayOwn(file: RetainedFile, topic: string, owner: string, max: number): boolean {
    const owned = file.owned(owner);
    if (owned + this.#pending.gainMax(owner) < max) return true;
    if ((this.#pending.ownerOf(topic) ?? file.ownerOf(topic)) === owner) return true;
    if (owned + this.#pending.gain(owner, (other) => file.ownerOf(other)) < max) return true;
    const nowMs = this.#options.now();
    if (!file.hasExpired(nowMs)) return false;
    this.flush();
    file.expire(nowMs);
    return file.owned(owner) < max;
  }

  /**
   * Keeps the message for its topic, or with an empty payload deletes what is kept there. `owner` is
   * the account it counts for; empty: nobody. Beyond what the account may own it is not kept, nor is
   * what was there: that is out of date.
   */
  keep(message: Message, owner = ""): void {
    let record: RetainedRecord | null = null;
    const granted = this.#granted?.topic === message.topic && this.#granted.owner === owner;
    this.#granted = undefined;
    if (message.payload.length > 0 && (granted || this.mayKeep(message.topic, owner))) {
      this.#writer.length = 0;
      writeMessage(this.#writer, message);
      const expiresMs = message.expiresMs === Infinity ? null : message.expiresMs;
      record = { bytes: this.#writer.bytes.slice(0, this.#writer.length), expiresMs, owner };
    }
    const pending = this.#pending;
    pending.put(message.topic, record);
    if (pending.records.size >= pendingMax || pending.bytes >= pendingBytesMax) this.flush();
  }

  /** Writes what gathered. */
  flush(): void {
    const { records } = this.#pending;
    this.#granted = undefined;
    if (records.size === 0) return;
    const { now, refused, overQuota } = this.#options;
    const write = (file: RetainedFile) => file.write(records, this.#options, now());
    const refusals = this.#try(write, records.size);
    this.#pending.clear();
    if (refusals !== undefined && refusals.full > 0) refused(refusals.full);
    for (const account of refusals?.overQuota ?? []) overQuota(account);
  }

  page(filter: string, after: string | undefined, nowMs: number): RetainedPage {
    this.flush();
    const damaged = (cause: unknown): void => this.#options.failed(cause, 1);
    return this.#try((file) => file.page(filter, after, nowMs, damaged), 0) ?? unread;
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
