/**
 * What waits for a kept session, on its way to the client that is connected: read from the file in
 * order, a page at a time, and sent within the client's receive maximum. Every message has its
 * packet identifier from its place in the queue, so what was under way when the last connection
 * ended goes out again as it was.
 *
 * @module
 */
import type { AcknowledgementKind } from "../codec/acknowledgement.ts";
import type { Delivery, Message } from "../pubsub/message.ts";
import type { PubSubStats } from "../pubsub/pubsub_stats.ts";
import type { CommitOp } from "./kept_op.ts";
import { type KeptRow, packetIdOf } from "./kept_row.ts";

/** Where messages are written to: the session's `Outbound`. */
export interface DeliverySink {
  /** Whether more may be written now. */
  readonly mayWrite: boolean;
  /** QoS 1 and 2 messages at once. */
  readonly windowMax: number;
  /** Writes a PUBLISH; false when it is larger than the client takes. */
  publish(message: Message, delivery: Delivery, packetId: number, dup: boolean): boolean;
  release(packetId: number, found: boolean): void;
  /** Sends, or puts into its own queue, what has QoS 0. */
  deliver(message: Message, delivery: Delivery): void;
}

export interface DeliveryOptions {
  readonly session: number;
  /** Messages below were sent before. */
  readonly sent: number;
  /** What was queued below this number is checked against the account once more. */
  readonly checkBelow: number;
  /** Whether the client may still read the topic. */
  readonly mayRead: ((topic: string) => boolean) | undefined;
  readonly stats: PubSubStats;
  /** Wall time, ms. */
  now(): number;
  /** Messages from `from` on; `undefined`: they cannot be read just now. */
  page(from: number, countMax: number): readonly KeptRow[] | undefined;
  /** To go to the file: before anything that was written goes out, or, `later`, at some time. */
  note(op: CommitOp, later: boolean): void;
}

/** Rows that are read at once. */
const pageMax = 64;

type Awaits = "puback" | "pubrec" | "pubcomp";

/** See the module. */
export class KeptDelivery {
  readonly #options: DeliveryOptions;
  readonly #inFlight = new Map<number, { readonly n: number; awaits: Awaits }>();
  #sink: DeliverySink | undefined;
  /** Number of the next message to read; those of `#ready` are read and not sent. */
  #cursor = 0;
  #ready: KeptRow[] = [];
  /** There may be more in the file. */
  #more = true;
  #sent: number;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#sent = options.sent;
  }

  /** QoS 1 and 2 messages that the client has not acknowledged to the end. */
  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** Messages below this number were sent. */
  get sent(): number {
    return this.#sent;
  }

  /** Nothing waits that could not be sent at once. */
  get idle(): boolean {
    return !this.#more && this.#ready.length === 0;
  }

  open(sink: DeliverySink): void {
    this.#sink = sink;
  }

  /** A message was queued here. Sent at once when all before it were. */
  queued(n: number, message: Message, delivery: Delivery): void {
    if (this.idle && n === this.#cursor && this.#mayPublish(packetIdOf(n))) {
      this.#cursor = n + 1;
      this.#publish({ n, message, delivery, bytes: 0 }, message);
    } else {
      this.#more = true;
    }
  }

  /** Something was queued elsewhere. */
  queuedElsewhere(): void {
    this.#more = true;
  }

  /** Sends as much of what waits as can be sent now. True when all of it was. */
  pump(): boolean {
    for (;;) {
      const next = this.#ready[0] ?? this.#read();
      if (next === undefined) return !this.#more;
      if (!this.#mayPublish(packetIdOf(next.n))) return false;
      this.#ready.shift();
      this.#send(next);
    }
  }

  acknowledged(kind: AcknowledgementKind, packetId: number, reasonCode: number): void {
    const pending = this.#inFlight.get(packetId);
    if (kind === "pubrec" && pending?.awaits !== "puback") {
      if (pending !== undefined && pending.awaits === "pubrec" && reasonCode >= 0x80) {
        return this.#done(packetId, pending.n);
      }
      if (pending !== undefined && pending.awaits === "pubrec") {
        pending.awaits = "pubcomp";
        this.#note({ kind: "released", session: this.#options.session, n: pending.n }, false);
      }
      this.#sink?.release(packetId, pending !== undefined);
    } else if (pending !== undefined && kind === pending.awaits) {
      this.#done(packetId, pending.n);
    }
  }

  #done(packetId: number, n: number): void {
    this.#inFlight.delete(packetId);
    this.#note({ kind: "done", session: this.#options.session, n }, true);
  }

  #read(): KeptRow | undefined {
    if (!this.#more) return undefined;
    const page = this.#options.page(this.#cursor, pageMax);
    if (page === undefined) return undefined; // There is more, perhaps; a later pump will see.
    const last = page.at(-1);
    if (last === undefined) this.#more = false;
    else this.#cursor = last.n + 1;
    this.#ready = [...page];
    return this.#ready[0];
  }

  #mayPublish(packetId: number): boolean {
    const sink = this.#sink;
    return sink !== undefined && sink.mayWrite && this.#inFlight.size < sink.windowMax &&
      // That of a message 65,535 before it: it has to be through first.
      !this.#inFlight.has(packetId);
  }

  #send(row: KeptRow): void {
    const { message, n } = row;
    if (message === "released") {
      this.#inFlight.set(packetIdOf(n), { n, awaits: "pubcomp" });
      this.#sink?.release(packetIdOf(n), true);
    } else if (message === "damaged") {
      this.#drop(row, "damaged");
    } else if (this.#options.mayRead?.(message.topic) === false && n < this.#options.checkBelow) {
      this.#drop(row, "denied");
    } else {
      this.#publish(row, message);
    }
  }

  #publish(row: KeptRow, message: Message): void {
    const { n, delivery } = row;
    const dup = n < this.#sent;
    // A handshake that has begun is brought to its end.
    if (!dup && message.expired(this.#options.now())) return this.#drop(row, "expired");
    if (this.#sink?.publish(message, delivery, packetIdOf(n), dup) !== true) {
      return this.#drop(row, "too_large");
    }
    this.#inFlight.set(packetIdOf(n), { n, awaits: delivery.qos === 1 ? "puback" : "pubrec" });
    this.#sent = Math.max(this.#sent, n + 1);
  }

  #drop({ n }: KeptRow, why: "expired" | "too_large" | "denied" | "damaged"): void {
    this.#options.stats.lost[why]++;
    this.#note({ kind: "done", session: this.#options.session, n }, true);
  }

  #note(op: CommitOp, later: boolean): void {
    this.#options.note(op, later);
  }
}
