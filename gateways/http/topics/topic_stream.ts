/**
 * One viewer's stream of a topic, or of all topics that a filter matches: what is retained, then what
 * comes. It goes through the watch at the pace at which the viewer reads.
 *
 * @module
 */
import type { Clock } from "../../../runtime/clock.ts";
import { eventLoopTurn } from "../../../runtime/event_loop_turn.ts";
import { aliveMs, EventBody, stillHere } from "../event_body.ts";
import type { RetainedSource } from "../../mqtt/pubsub/retained_feed.ts";
import type { SharedChunks } from "./shared_chunks.ts";
import { messageJson, topicEvent } from "./topic_event.ts";
import type { Watch } from "./watch.ts";

/** Where a viewer was: the id of the last event it got. */
export interface LastEvent {
  readonly epoch: string;
  readonly sequence: number;
}

export interface TopicStreamOptions {
  readonly watch: Watch;
  readonly chunks: SharedChunks;
  readonly epoch: string;
  /** The number of the message that was seen last, of whatever topic. */
  readonly sequence: () => number;
  readonly retained: RetainedSource;
  readonly clock: Clock;
  /** Where a viewer that comes back was, and `"odd"` when its id is none of ours. */
  readonly last: LastEvent | "odd" | undefined;
  /** False: the viewer may not see more. */
  readonly mayGoOn: () => boolean;
  /** So many messages were gone before the viewer had read so far. */
  readonly lost: (count: number) => void;
  /**
   * Messages are sent once in so many ms, those of all viewers at the same moment, unless there are
   * enough for a whole chunk; 0: as they come.
   */
  readonly gatherMs: () => number;
  readonly ended: () => void;
}

/** The id in `Last-Event-ID`; `undefined` when there is none. */
export function lastEventOf(id: string | null): LastEvent | "odd" | undefined {
  if (id === null || id === "") return undefined;
  const [, epoch, sequence] = /^([0-9a-z]{1,12})-(\d{1,15})$/.exec(id) ?? [];
  return epoch === undefined ? "odd" : { epoch, sequence: Number(sequence) };
}

/** See the module. */
export class TopicStream {
  readonly #options: TopicStreamOptions;
  readonly #events: EventBody;
  /** In the watch; `undefined` until all shards know of it. */
  #place: number | undefined;
  /** When messages were sent last and all that there was; monotonic ms. */
  #sentMs = -Infinity;
  /** The next page of retained messages begins behind this topic; `null`: they are told. */
  #retainedAfter: string | undefined | null = null;

  constructor(options: TopicStreamOptions) {
    this.#options = options;
    options.watch.followers++;
    this.#events = new EventBody(options.clock, () => this.#next(), () => this.#end());
  }

  get body(): ReadableStream<Uint8Array> {
    return this.#events.stream;
  }

  /** Ends the stream; the viewer comes back and goes on with its last id. */
  close(): void {
    this.#events.close();
  }

  /** Sends something, when there is something. */
  async #next(): Promise<void> {
    const { watch, mayGoOn } = this.#options;
    let text = "";
    if (this.#place === undefined) {
      await watch.known;
      text = this.#begin();
    }
    while (!this.#events.ended) {
      await this.#gathered();
      if (this.#events.ended) return;
      if (!mayGoOn()) return this.close();
      const isTold = this.#retainedAfter === null;
      text += isTold ? this.#gap() : this.#retained();
      if (text !== "") this.#events.send(text);
      const isSent = isTold && this.#sendMessages();
      if (isSent || text !== "") return;
      if (!await this.#more()) text = stillHere;
    }
  }

  /** Where to begin; and, when what was missed is not all here any more, that it is not. */
  #begin(): string {
    const { watch, epoch, last } = this.#options;
    const ours = last !== undefined && last !== "odd" && last.epoch === epoch ? last : undefined;
    this.#place = ours === undefined ? watch.end : watch.after(ours.sequence);
    if (ours !== undefined && ours.sequence >= watch.floor) return ": welcome back\n\n";
    this.#retainedAfter = undefined;
    if (last === undefined) return ": welcome\n\n";
    if (ours === undefined) this.#place = watch.start;
    const detail = "the history does not reach back to your last event; here is what there is";
    return topicEvent("gap", { reason: "history", detail });
  }

  /** A page of what is retained; after the last one comes the id to go on from. */
  #retained(): string {
    const { watch, retained, clock } = this.#options;
    const page = retained.page(watch.filter, this.#retainedAfter ?? undefined, clock.now());
    this.#retainedAfter = page.after ?? null;
    const text = page.messages.map((message) => topicEvent("message", messageJson(message))).join(
      "",
    );
    return page.after === undefined ? text + topicEvent("ready", {}, this.#id()) : text;
  }

  /** That messages were gone before they were read; "" when none were. */
  #gap(): string {
    const { watch, lost } = this.#options;
    const count = watch.start - this.#place!;
    if (count <= 0) return "";
    lost(count);
    this.#place = watch.start;
    return topicEvent("gap", { reason: "slow", lost: count });
  }

  /** Sends what has come, a chunk of it; false when nothing has. */
  #sendMessages(): boolean {
    const { watch, chunks, clock } = this.#options;
    if (this.#place! >= watch.end) return false;
    const { bytes, to, full } = chunks.from(watch, this.#place!, clock.now());
    this.#place = to;
    if (bytes.length === 0) return false;
    this.#sentMs = full ? -Infinity : clock.monotonic();
    this.#events.send(bytes);
    return true;
  }

  /** Waits for the moment at which messages are sent, when there are some. */
  async #gathered(): Promise<void> {
    const { watch, clock, gatherMs } = this.#options;
    const everyMs = gatherMs();
    if (this.#retainedAfter !== null || this.#place! >= watch.end || everyMs === 0) return;
    const dueMs = (Math.floor(this.#sentMs / everyMs) + 1) * everyMs;
    await this.#events.wait(dueMs - clock.monotonic());
  }

  /** Waits for a message; false when none has come for a while. */
  async #more(): Promise<boolean> {
    const { watch } = this.#options;
    if (this.#retainedAfter !== null) {
      // A page without a match: others have their turn before the next one.
      await eventLoopTurn();
      return true;
    }
    if (this.#place! < watch.end) return true;
    const unwatch = watch.wake(() => this.#events.wake());
    const came = await this.#events.wait(aliveMs);
    unwatch();
    return came;
  }

  /** Of the place where the viewer is. */
  #id(): string {
    const { watch } = this.#options;
    const next = watch.at(Math.max(this.#place!, watch.start));
    return this.#idOf(next === undefined ? this.#options.sequence() : next.sequence - 1);
  }

  #idOf(sequence: number): string {
    return `${this.#options.epoch}-${sequence}`;
  }

  #end(): void {
    this.#options.watch.followers--;
    this.#options.ended();
  }
}
