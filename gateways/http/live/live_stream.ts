/**
 * One viewer's stream of Server-Sent Events. It asks the shards when the viewer has taken what was
 * sent, and not before its time has come: a slow viewer costs less than a fast one.
 *
 * @module
 */
import type { Clock, Timer } from "../../../runtime/clock.ts";
import { aliveMs, EventBody } from "../event_body.ts";
import { coordinates, deviceEvent, tallyEvent } from "./live_event.ts";
import { eventId, type LiveQuery } from "./live_query.ts";
import type { LiveSource } from "./source.ts";

/** How often the viewer is told how many devices it should know. */
const tallyMs = 10_000;

export interface LiveStreamOptions {
  readonly source: LiveSource;
  readonly clock: Clock;
  readonly query: LiveQuery;
  /** False: the viewer may not see more. */
  readonly mayGoOn: () => boolean;
  readonly ended: () => void;
}

/** See the module. */
export class LiveStream {
  readonly #options: LiveStreamOptions;
  readonly #since: number[];
  readonly #events: EventBody;
  #timer: Timer | undefined;
  #wake: (() => void) | undefined;
  #nextMs: number;
  #tallyMs: number;
  #aliveMs: number;

  constructor(options: LiveStreamOptions) {
    this.#options = options;
    this.#since = [...options.query.since];
    this.#nextMs = this.#tallyMs = this.#aliveMs = options.clock.monotonic();
    this.#events = new EventBody(() => this.#next(), () => this.#end());
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
    const { clock, query, mayGoOn } = this.#options;
    while (!this.#events.ended) {
      await this.#until(this.#nextMs);
      if (this.#events.ended) return;
      if (!mayGoOn()) return this.close();
      this.#nextMs = clock.monotonic() + query.everyMs;
      let text = await this.#changes();
      if (this.#events.ended) return;
      const nowMs = clock.monotonic();
      if (nowMs >= this.#tallyMs && this.#nextMs !== 0) {
        text += await this.#tally();
        this.#tallyMs = nowMs + tallyMs;
      }
      if (text === "" && nowMs >= this.#aliveMs) text = ": still here\n\n";
      if (text === "" || this.#events.ended) continue;
      this.#aliveMs = nowMs + aliveMs;
      this.#events.send(text);
      return;
    }
  }

  /** What changed in all shards; "" when nothing did. A shard that does not answer is left out. */
  async #changes(): Promise<string> {
    const { source, query } = this.#options;
    const { device, prefix } = query;
    const answers = await Promise.allSettled(
      this.#since.map((since, shard) => source.changes(shard, { since, device, prefix })),
    );
    let text = "";
    for (const [shard, answer] of answers.entries()) {
      if (answer.status === "rejected") continue;
      const { devices, until, more } = answer.value;
      for (const view of devices) text += deviceEvent(view, query);
      this.#since[shard] = until;
      if (more) this.#nextMs = 0; // At once: it is one state that does not fit one message.
    }
    return text === "" ? "" : `${text.slice(0, -1)}id: ${eventId(this.#since)}\n\n`;
  }

  /** "" when a shard does not answer: a wrong count would be worse than none. */
  async #tally(): Promise<string> {
    const { source, query } = this.#options;
    const { device, prefix, metric, geojson } = query;
    const having = geojson ? coordinates : metric === "" ? [] : [metric];
    try {
      const tallies = await Promise.all(
        this.#since.map((_, shard) => source.tally(shard, { device, prefix, having })),
      );
      let devices = 0;
      let checksum = 0;
      for (const tally of tallies) {
        devices += tally.devices;
        checksum = (checksum ^ tally.checksum) >>> 0;
      }
      return tallyEvent(devices, checksum);
    } catch {
      return "";
    }
  }

  async #until(dueMs: number): Promise<void> {
    const waitMs = dueMs - this.#options.clock.monotonic();
    if (waitMs <= 0) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      this.#timer = this.#options.clock.setTimer(waitMs, resolve);
    });
  }

  #end(): void {
    this.#timer?.clear();
    this.#wake?.();
    this.#options.ended();
  }
}
