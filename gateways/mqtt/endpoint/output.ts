/**
 * The sending half of a connection: packets gather in one buffer while the one before is being
 * written, so there is one write at a time and few in all. A connection with nothing to send holds
 * no buffer.
 *
 * @module
 */
import { PacketWriter } from "../codec/writer.ts";

/** Buffers that no connection uses just now. */
export class WriterPool {
  /** Bytes that wait to be taken by the other end, on all connections. */
  waitingBytes = 0;
  /** All that was written, on all connections. */
  readonly #sent: { bytesSent: number };
  readonly #free: PacketWriter[] = [];
  readonly #countMax: number;

  /** Buffers above `keptBytesMax` are not kept, nor more than `countMax`. */
  constructor(sent = { bytesSent: 0 }, countMax = 256, readonly keptBytesMax = 16 * 1024) {
    this.#sent = sent;
    this.#countMax = countMax;
  }

  /** So many bytes are on their way. */
  sent(count: number): void {
    this.#sent.bytesSent += count;
  }

  take(): PacketWriter {
    return this.#free.pop() ?? new PacketWriter();
  }

  give(writer: PacketWriter): void {
    if (this.#free.length >= this.#countMax || writer.bytes.length > this.keptBytesMax) return;
    writer.length = 0;
    this.#free.push(writer);
  }
}

/** What is written to: the writing side of a `Deno.Conn`. */
export interface ByteSink {
  write(bytes: Uint8Array): Promise<number>;
  /** Where there is such a thing: whether a small write waits until the one before has arrived. */
  setNoDelay?(noDelay: boolean): void;
}

/** Has small writes leave at once. Never throws: of a connection that has closed, the next use tells. */
export function noDelay(sink: ByteSink): void {
  try {
    sink.setNoDelay?.(true);
  } catch {
    // It has closed.
  }
}

export interface OutputEvents {
  /** Nothing is left to write. */
  drained(): void;
  /** The connection cannot be written to any more. Called once. */
  writeFailed(error: unknown): void;
}

/** See the module. */
export class Output {
  readonly #sink: ByteSink;
  readonly #pool: WriterPool;
  readonly #events: OutputEvents;
  #open: PacketWriter | undefined;
  #writing: PacketWriter | undefined;
  /** Bytes of `#writing` that are written. */
  #writtenBytes = 0;
  #failed = false;
  /** What of this connection is in the pool's sum. */
  #counted = 0;
  /** Grows with every write; what it was when last looked at, and since when. */
  #progress = 0;
  #seenProgress: number | undefined;
  #seenMs = 0;

  constructor(sink: ByteSink, pool: WriterPool, events: OutputEvents) {
    this.#sink = sink;
    this.#pool = pool;
    this.#events = events;
  }

  /** Packets go here; {@linkcode flush} sends them. */
  get writer(): PacketWriter {
    return this.#open ??= this.#pool.take();
  }

  /** Bytes that the other end has not taken. */
  get waitingBytes(): number {
    const writing = this.#writing === undefined ? 0 : this.#writing.length - this.#writtenBytes;
    return writing + (this.#open?.length ?? 0);
  }

  /** How long the other end has been seen to take nothing of what waits. Asked again and again. */
  stalledMs(nowMs: number): number {
    if (this.waitingBytes === 0 || this.#progress !== this.#seenProgress) {
      this.#seenProgress = this.#progress;
      this.#seenMs = nowMs;
    }
    return nowMs - this.#seenMs;
  }

  /** Starts to write what gathered, unless a write is under way: then it goes next. */
  flush(): void {
    const open = this.#open;
    if (open === undefined) return;
    if (this.#writing !== undefined) return this.#count();
    this.#open = undefined;
    if (this.#failed || open.length === 0) return this.#pool.give(open);
    this.#writing = open;
    this.#writtenBytes = 0;
    this.#count();
    this.#write(open.bytes.subarray(0, open.length));
  }

  #count(): void {
    const { waitingBytes } = this;
    this.#pool.waitingBytes += waitingBytes - this.#counted;
    this.#counted = waitingBytes;
  }

  #write(bytes: Uint8Array): void {
    // The first write waits for none, and many connections see no second one.
    if (this.#progress === 1) noDelay(this.#sink);
    // These closures live as long as the write; as fields, every idle connection would have them.
    this.#sink.write(bytes).then(
      (count) => this.#written(count),
      (error: unknown) => this.#writeFailed(error),
    );
  }

  #written(count: number): void {
    const writing = this.#writing;
    if (writing === undefined) return;
    this.#writtenBytes += count;
    this.#pool.sent(count);
    this.#progress++;
    if (this.#writtenBytes < writing.length) {
      return this.#write(writing.bytes.subarray(this.#writtenBytes, writing.length));
    }
    this.#writing = undefined;
    this.#pool.give(writing);
    this.#count();
    if (this.#open === undefined) this.#events.drained();
    else this.flush();
  }

  #writeFailed(error: unknown): void {
    this.#failed = true;
    this.#writing = undefined;
    this.#open = undefined;
    this.#count();
    this.#events.writeFailed(error);
  }
}
