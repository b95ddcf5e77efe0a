/**
 * One viewer's stream of Server-Sent Events. It asks the shards when the viewer has taken what was
 * sent, and not before its time has come: a slow viewer costs less than a fast one.
 *
 * @module
 */
import type { Clock } from "../../../runtime/clock.ts";
import { aliveMs, EventBody, stillHere } from "../event_body.ts";
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
  #nextMs: number;
  #tallyDueMs: number;
  #aliveMs: number;

  constructor(options: LiveStreamOptions) {
    this.#options = options;
    this.#since = [...options.query.since];
    this.#nextMs = this.#tallyDueMs = this.#aliveMs = options.clock.monotonic();
    this.#events = new EventBody(options.clock, () => this.#next(), options.ended);
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
      await this.#events.wait(Math.min(this.#nextMs, this.#aliveMs) - clock.monotonic());
      if (this.#events.ended) return;
      if (!mayGoOn()) return this.close();
      let text = "";
      if (clock.monotonic() >= this.#nextMs) {
        this.#nextMs = clock.monotonic() + query.everyMs;
        text = await this.#changes();
      }
      const nowMs = clock.monotonic();
      if (text === "" && nowMs >= this.#aliveMs) text = stillHere;
      if (text === "" || this.#events.ended) continue;
      this.#aliveMs = nowMs + aliveMs;
      this.#events.send(text);
      return;
    }
  }

  /**
   * What changed in all shards, and the tally of the same moment when it is due; "" when there is
   * neither. A shard that does not answer is left out.
   */
  async #changes(): Promise<string> {
    const { source, query, clock } = this.#options;
    const { device, prefix } = query;
    const due = clock.monotonic() >= this.#tallyDueMs;
    const tallied = due ? { having: this.#having } : {};
    const answers = await Promise.allSettled(
      this.#since.map((since, shard) =>
        source.changes(shard, { since, device, prefix, ...tallied })
      ),
    );
    let text = "";
    let whole = due;
    const total = { devices: 0, checksum: 0 };
    for (const [shard, answer] of answers.entries()) {
      if (answer.status === "rejected") {
        whole = false;
        continue;
      }
      const { devices, until, more, tally } = answer.value;
      for (const view of devices) text += deviceEvent(view, query);
      this.#since[shard] = until;
      if (more) this.#nextMs = 0; // At once: it is one state that does not fit one message.
      // A wrong count would be worse than none.
      whole &&= !more && tally !== undefined;
      total.devices += tally?.devices ?? 0;
      total.checksum = (total.checksum ^ (tally?.checksum ?? 0)) >>> 0;
    }
    const changes = text === "" ? "" : `${text.slice(0, -1)}id: ${eventId(this.#since)}\n\n`;
    if (!whole) return changes;
    this.#tallyDueMs = clock.monotonic() + tallyMs;
    return changes + tallyEvent(total);
  }

  /** What a device must have for the viewer to be told of it. */
  get #having(): readonly string[] {
    const { geojson, metric } = this.#options.query;
    return [...geojson ? coordinates : [], ...metric === "" ? [] : [metric]];
  }
}
