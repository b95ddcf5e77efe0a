/**
 * What viewers of a filter were just sent, in its written form: those who are at the same place are
 * sent the same bytes, which are written once, however many they are.
 *
 * @module
 */
import { messageJson, topicEvent } from "./topic_event.ts";
import type { Watch } from "./watch.ts";

export interface SharedChunksOptions {
  /** Bytes of all that are kept for others. */
  readonly bytesMax: number;
  /** Characters after which a chunk ends, with the message it is in. */
  readonly chunkChars: number;
  /** Begins the ids of messages. */
  readonly epoch: string;
}

/** The messages from one place to before another, as events. */
export interface Chunk {
  readonly from: number;
  readonly to: number;
  /** Empty when all of them have expired. */
  readonly bytes: Uint8Array;
  /** It ends because it is large: what is left need not wait for more. */
  readonly full: boolean;
  /** Wall time, ms: when the first of its messages expires. */
  readonly expiresMs: number;
}

/** See the module. */
export class SharedChunks {
  readonly #options: SharedChunksOptions;
  readonly #encoder = new TextEncoder();
  /** The last one of each watch; the one that was written first comes first. */
  readonly #chunks = new Map<Watch, Chunk>();
  #bytes = 0;

  constructor(options: SharedChunksOptions) {
    this.#options = options;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * What comes next at a place that is still here. It may end before the watch does: who is at the
   * same place as others stays with them.
   */
  from(watch: Watch, place: number, nowMs: number): Chunk {
    const kept = this.#chunks.get(watch);
    if (kept?.from === place && kept.to > place && nowMs < kept.expiresMs) return kept;
    const chunk = this.#write(watch, place, nowMs);
    this.forget(watch);
    // Who is alone is not at this place again.
    if (watch.followers > 1) this.#keep(watch, chunk);
    return chunk;
  }

  forget(watch: Watch): void {
    this.#bytes -= this.#chunks.get(watch)?.bytes.length ?? 0;
    this.#chunks.delete(watch);
  }

  #keep(watch: Watch, chunk: Chunk): void {
    const { bytesMax } = this.#options;
    if (chunk.bytes.length > bytesMax) return;
    this.#chunks.set(watch, chunk);
    this.#bytes += chunk.bytes.length;
    for (const other of this.#chunks.keys()) {
      if (this.#bytes <= bytesMax) return;
      this.forget(other);
    }
  }

  #write(watch: Watch, from: number, nowMs: number): Chunk {
    const { chunkChars, epoch } = this.#options;
    let text = "";
    let expiresMs = Infinity;
    let to = from;
    for (; to < watch.end && text.length < chunkChars; to++) {
      const { message, atMs, sequence } = watch.at(to)!;
      if (message.expired(nowMs)) continue;
      expiresMs = Math.min(expiresMs, message.expiresMs);
      text += topicEvent("message", messageJson(message, atMs), `${epoch}-${sequence}`);
    }
    const full = text.length >= chunkChars;
    return { from, to, bytes: this.#encoder.encode(text), full, expiresMs };
  }
}
