/**
 * The shards as the HTTP edge asks them: what has changed for live views, and what one remembers of
 * a device.
 *
 * @module
 */
import type { TopicEntry } from "../actors/reading.ts";
import { isDevice } from "../gateways/http/control.ts";
import { type LiveSource, parseChanges } from "../gateways/http/live/source.ts";
import type { TopicDevices } from "../gateways/http/topics/current_values.ts";
import { AskError } from "../runtime/ask.ts";
import type { Link } from "../runtime/remote_link.ts";
import { controlName, parseReply, type ShardAsk, type ShardQuestion } from "./shard_protocol.ts";

/** How long a shard may take to answer. */
const askMs = 2_000;

/** See the module. */
export class HttpShards {
  readonly #count: number;
  readonly #links = new Map<number, Link>();

  constructor(count: number) {
    this.#count = count;
  }

  /** Those that are there. */
  get links(): Iterable<Link> {
    return this.#links.values();
  }

  /** True: it was there before, and is there anew. */
  linked(shard: number, link: Link): boolean {
    const anew = this.#links.has(shard);
    this.#links.set(shard, link);
    return anew;
  }

  liveSource(): LiveSource {
    return {
      shards: this.#count,
      changes: async (shard, query) =>
        parseChanges(await this.#ask(shard, { kind: "changes", query })),
    };
  }

  /** A topic's device, as its route says, and what the device's shard remembers of it. */
  topicDevices(entryOf: (topic: string) => TopicEntry | undefined): TopicDevices {
    return {
      idOf: (topic) => entryOf(topic)?.deviceId,
      find: async (topic) => {
        const entry = entryOf(topic);
        if (entry === undefined) return undefined;
        const shard = (entry.deviceHash >>> 0) % this.#count;
        const answer = await this.#ask(shard, { kind: "device", id: entry.deviceId });
        return isDevice(answer) ? answer : undefined;
      },
    };
  }

  #ask(shard: number, question: ShardQuestion): Promise<unknown> {
    const link = this.#links.get(shard);
    if (link === undefined) {
      return Promise.reject(new AskError("stopped", `shard ${shard} is being restarted`));
    }
    return link.ask(
      link.ref<ShardAsk>(controlName),
      (replyTo) => ({ question, replyTo }),
      { deadlineMs: askMs, parse: parseReply },
    );
  }
}
