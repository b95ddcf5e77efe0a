/**
 * The records that the writer holds, and how many readings of each have no fate yet. A record is
 * through when its last reading is in the store or is a durable dead letter, in whatever pieces and
 * whatever order that came about.
 *
 * @module
 */
import type { SpoolRecord } from "../spool/record.ts";
import type { DeliveryOutcome, RefusalWord } from "./delivery.ts";
import type { Piece } from "./piece.ts";
import type { Suspects } from "./suspects.ts";
import type { WriterEvents, WriterPort } from "./writer_port.ts";

export interface InHandOptions {
  readonly port: Pick<WriterPort, "bury" | "onDurable" | "delivered">;
  readonly events: Pick<
    WriterEvents,
    "stored" | "deadLettered" | "rewritten" | "rewriteRefused"
  >;
  readonly suspects: Suspects;
  /** Monotonic ms. */
  now(): number;
  /** A record is through. */
  closed(record: SpoolRecord, live: boolean): void;
  /** Readings of the backlog were stored. */
  replayed(readings: number): void;
}

/** See the module. */
export class InHand implements DeliveryOutcome {
  readonly #options: InHandOptions;
  readonly #open = new Map<SpoolRecord, { left: number; readonly live: boolean }>();
  #replayBytes = 0;

  constructor(options: InHandOptions) {
    this.#options = options;
  }

  /** Records held. */
  get count(): number {
    return this.#open.size;
  }

  /** Bytes of those that came from the backlog. */
  get replayBytes(): number {
    return this.#replayBytes;
  }

  /** Takes a record in hand; `live` when it came from memory, and not from the backlog. */
  take(record: SpoolRecord, live: boolean): void {
    this.#open.set(record, { left: record.count, live });
    if (!live) this.#replayBytes += record.frame.length;
  }

  /** Gives a record back of which nothing was written. */
  giveBack(record: SpoolRecord): void {
    this.#open.delete(record);
  }

  stored(record: SpoolRecord, readings: number): void {
    const { events } = this.#options;
    if (record.again) events.rewritten(readings);
    else events.stored(readings);
    if (this.#open.get(record)?.live === false) this.#options.replayed(readings);
    this.#close(record, readings);
  }

  refusedLine(line: Piece, word: RefusalWord, detail: string): void {
    this.#options.suspects.add(line.device, this.#options.now());
    this.#options.port.bury(line, word, detail);
  }

  refused(record: SpoolRecord, word: RefusalWord): void {
    const { events, port } = this.#options;
    port.onDurable({
      complete: () => {
        if (record.again) events.rewriteRefused(1);
        else events.deadLettered(word, 1);
        this.#close(record, 1);
      },
    });
  }

  #close(record: SpoolRecord, readings: number): void {
    const open = this.#open.get(record);
    if (open === undefined) return;
    open.left -= readings;
    if (open.left > 0) return;
    this.#open.delete(record);
    if (!open.live) this.#replayBytes -= record.frame.length;
    this.#options.closed(record, open.live);
    this.#options.port.delivered(record);
  }
}
