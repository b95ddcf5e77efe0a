/**
 * The owner's side of a lane: walks each batch and tells every reading to its device. When a
 * device's mailbox is full it waits for that device, and so, through the credit of the lane, do the
 * edges: nothing is dropped and nothing is queued beyond the batches that credit allows.
 *
 * @module
 */
import type { Actor, ActorRef, Context } from "../runtime/actor.ts";
import type { TopicLookup } from "./intake_hub.ts";
import type { Ledger } from "./ledger.ts";
import { type OwnedBatch, OwnedReading } from "./owned_batch.ts";
import type { TopicEntry } from "./reading.ts";
import { topicEnd, topicStart, transportCode } from "./readings_frame.ts";

export type IngestMessage = OwnedBatch | "go_on";

export interface IngestOptions {
  readonly topics: TopicLookup;
  readonly ledger: Ledger;
  /** Of a time of arrival. */
  readonly steadyOf: (wallMs: number) => number;
  /** The lines of the open commit group, and how long they may become. */
  readonly lines: { readonly length: number };
  readonly linesBytesMax: number;
  /** The device that owns a topic. */
  readonly deviceOf: (entry: TopicEntry) => ActorRef<OwnedReading>;
  /** A reading whose topic has no route here, which the sender's shard should have refused. */
  readonly unrouted: (batch: OwnedBatch, index: number, reason: string) => void;
  /** A device that is stopped for good: the reading is for nobody. */
  readonly unclaimed: (reading: OwnedReading) => void;
}

/** Readings told in one turn, before the devices get theirs. */
const readingsPerTurn = 1_024;
/** How often to look whether a group that is full has been committed. */
const roomPollMs = 2;
/** The shortest field of a payload, `"a":1,`, less one; and a line's time and separators. */
const fieldBytesMin = 5;
const lineRestBytes = 48;
/** What code makes of a reading is not known: so that not too many are told in one turn. */
const codeBytes = 256 * 1024;

const goOn = (): "go_on" => "go_on";

/** See the module. */
export class Ingest implements Actor<IngestMessage> {
  readonly #options: IngestOptions;
  /** Batches that came while an earlier one waits for a device. */
  readonly #waiting: OwnedBatch[] = [];
  #current: OwnedBatch | undefined;
  #next = 0;
  /** Bytes of lines that may still be told to devices in this turn. */
  #room = 0;

  constructor(options: IngestOptions) {
    this.#options = options;
  }

  receive(message: IngestMessage, context: Context<IngestMessage>): void {
    if (message !== "go_on") {
      this.#book(message);
      this.#waiting.push(message);
      if (this.#current !== undefined) return;
    }
    this.#walk(context);
  }

  #book(batch: OwnedBatch): void {
    const { frame } = batch;
    batch.seenMs = this.#options.steadyOf(batch.arrivalMs);
    for (let i = 0; i < frame.count; i++) this.#options.ledger.received(transportCode(frame, i));
  }

  #walk(context: Context<IngestMessage>): void {
    const { lines, linesBytesMax } = this.#options;
    let left = readingsPerTurn;
    this.#room = linesBytesMax - lines.length;
    for (;;) {
      this.#current ??= this.#waiting.shift();
      const batch = this.#current;
      if (batch === undefined) return;
      // The disk is slower than the devices: the group waits for it, and they wait for the group.
      if (lines.length >= linesBytesMax) return context.startTimer("room", roomPollMs, "go_on");
      for (; this.#next < batch.frame.count; this.#next++) {
        if (left-- === 0 || this.#room <= 0 || !this.#tell(batch, this.#next)) {
          // Go on where this stopped once the devices had their turn: behind the current slice.
          context.pipe(Promise.resolve(), goOn, goOn);
          return;
        }
      }
      this.#current = undefined;
      this.#next = 0;
    }
  }

  /** False when the device has no room. */
  #tell(batch: OwnedBatch, index: number): boolean {
    const { frame } = batch;
    const { topics, deviceOf, unrouted, unclaimed } = this.#options;
    const entry = batch.entries?.[index] ??
      topics.lookup(batch.data, topicStart(frame, index), topicEnd(frame, index));
    if (entry.kind === "refused") {
      unrouted(batch, index, entry.rejection.reason);
      return true;
    }
    const reading = new OwnedReading(batch, index, entry);
    this.#room -= linesBytesOf(reading);
    switch (deviceOf(entry).tell(reading)) {
      case "accepted":
        return true;
      case "full":
        return false;
      case "stopped":
        unclaimed(reading);
        return true;
    }
  }
}

/**
 * What the lines of a reading take at most, without looking into its payload: a few bytes of a
 * payload may become a line that names the topic twice.
 */
function linesBytesOf({ entry, start, end }: OwnedReading): number {
  const payloadBytes = end - start;
  if (entry.route.module !== undefined) return codeBytes;
  const lines = entry.route.afterMetric === undefined ? 1 : payloadBytes / fieldBytesMin;
  return payloadBytes + lines * (entry.tailEnd - entry.headStart + lineRestBytes);
}
