/**
 * The writer as an actor: turns what {@linkcode Writer} asks for into promises, and their ends into
 * messages.
 *
 * A crash of this actor is one of the shard: give it a supervisor that escalates. What it had in
 * hand is on the disk, and recovered.
 *
 * @module
 */
import type { Actor, ActorRef, Context } from "../../runtime/actor.ts";
import type { Sink, SinkResult } from "../sink.ts";
import type { Completion } from "../spool/commit_group.ts";
import type { SpoolRecord } from "../spool/record.ts";
import type { RefusalWord } from "./delivery.ts";
import type { Piece } from "./piece.ts";
import { Writer } from "./writer.ts";
import type { LaneName, WriterOptions, WriterPort } from "./writer_port.ts";

export type WriterMessage =
  /** A record has become durable. */
  | { readonly kind: "live"; readonly record: SpoolRecord }
  | { readonly kind: "written"; readonly lane: LaneName; readonly result: SinkResult }
  | { readonly kind: "probed"; readonly failure: string | undefined }
  | { readonly kind: "backlog"; readonly records: readonly SpoolRecord[] }
  | { readonly kind: "backlog_unreadable"; readonly reason: string }
  | { readonly kind: "wake" }
  /** The store was away and is back: it may have forgotten what it had said yes to. */
  | { readonly kind: "store_lost" }
  /** Write all that is in memory; answered when that is done, or the store is away. */
  | { readonly kind: "drain"; readonly replyTo: ActorRef<WriterDrained> };

export interface WriterDrained {
  readonly kind: "writer_drained";
  /** False: the store is away, and what it does not have stays in the spool. */
  readonly complete: boolean;
}

/** The part of a spool that the writer works on; a `Spool` is one. */
export interface RecordSource {
  readonly hasBacklog: boolean;
  readonly backlog: number;
  read(bytesMax: number): Promise<readonly SpoolRecord[]>;
  delivered(record: SpoolRecord): void;
  spill(record: SpoolRecord): void;
  storeSeen(): void;
  storeDoubted(): void;
  storeLost(): void;
}

export interface WriterActorOptions extends Omit<WriterOptions, "port"> {
  readonly sink: Sink;
  readonly spool: RecordSource;
  /** Keeps a line that the store refuses; durable with the next commit. */
  readonly bury: (line: Piece, word: RefusalWord, detail: string) => void;
  /** Completed once all that was buried is durable; sees to it that a commit comes. */
  readonly onDurable: (completion: Completion) => void;
  /** Given the writer, for readiness and gauges. */
  readonly started?: (writer: Writer) => void;
}

/** See the module. */
export class WriterActor implements Actor<WriterMessage> {
  readonly #options: WriterActorOptions;
  readonly #writer: Writer;
  readonly #abort = new AbortController();
  #drainers: ActorRef<WriterDrained>[] = [];

  constructor(options: WriterActorOptions, context: Context<WriterMessage>) {
    this.#options = options;
    this.#writer = new Writer({ ...options, port: this.#port(context) });
  }

  started(context: Context<WriterMessage>): void {
    this.#options.started?.(this.#writer);
    this.#options.sink.watch?.(() => this.#lost(context.self));
    this.#writer.wake();
  }

  receive(message: WriterMessage): void {
    switch (message.kind) {
      case "live":
        this.#writer.live(message.record);
        break;
      case "written":
        this.#writer.written(message.lane, message.result);
        break;
      case "probed":
        this.#writer.probed(message.failure);
        break;
      case "backlog":
        this.#writer.backlog(message.records);
        break;
      case "backlog_unreadable":
        this.#options.events.backlogUnreadable(message.reason);
        this.#writer.backlog([]);
        break;
      case "wake":
        this.#writer.wake();
        break;
      case "store_lost":
        this.#options.spool.storeLost();
        this.#writer.wake();
        break;
      case "drain":
        this.#drainers.push(message.replyTo);
        this.#writer.drain();
        break;
      default:
        return message satisfies never;
    }
    if (this.#drainers.length > 0) this.#answerDrainers();
  }

  /** The sink is closed by who made it. */
  stopped(): void {
    this.#abort.abort();
  }

  /** A mailbox that is full for the moment must not lose this. */
  #lost(self: ActorRef<WriterMessage>): void {
    if (self.tell({ kind: "store_lost" }) !== "full") return;
    this.#options.clock.setTimer(100, () => this.#lost(self));
  }

  #answerDrainers(): void {
    const complete = this.#writer.idle;
    if (!complete && this.#writer.notReady === undefined) return;
    for (const drainer of this.#drainers) drainer.tell({ kind: "writer_drained", complete });
    this.#drainers = [];
  }

  #port(context: Context<WriterMessage>): WriterPort {
    const { sink, spool, bury, onDurable } = this.#options;
    const { signal } = this.#abort;
    return {
      write: (lane, pieces) =>
        context.pipe(
          sink.write(pieces, signal),
          (result) => ({ kind: "written", lane, result }),
          (cause) => ({
            kind: "written",
            lane,
            result: { kind: "retry", reason: String(cause) },
          }),
        ),
      probe: () =>
        context.pipe(
          sink.probe(signal),
          ({ ok, reason }) => ({
            kind: "probed",
            failure: ok ? undefined : reason ?? "the store does not answer",
          }),
          (cause) => ({ kind: "probed", failure: String(cause) }),
        ),
      read: (bytesMax) =>
        context.pipe(
          spool.read(bytesMax),
          (records) => ({ kind: "backlog", records }),
          (cause) => ({ kind: "backlog_unreadable", reason: String(cause) }),
        ),
      hasBacklog: () => spool.hasBacklog,
      remaining: () => spool.backlog,
      wakeIn: (delayMs) => context.startTimer("wake", delayMs, { kind: "wake" }),
      bury,
      onDurable,
      delivered: (record) => spool.delivered(record),
      spill: (record) => spool.spill(record),
      storeSeen: () => spool.storeSeen(),
      storeDoubted: () => spool.storeDoubted(),
    };
  }
}
