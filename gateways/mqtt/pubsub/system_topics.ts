/**
 * The server's own topics, below `$SYS`: what they say now, as retained messages are found. Every
 * shard is told the same, so nothing of it crosses between shards, and nothing is written down.
 *
 * @module
 */
import { noProperties } from "../codec/properties.ts";
import { filterMatches } from "../topic_filter.ts";
import { Message } from "./message.ts";
import type { RetainedPage, RetainedSource } from "./retained_feed.ts";

/** What their names begin with: clients do not publish there. */
export const systemRoot = "$SYS";

const utf8 = new TextEncoder();

/** Whether a filter can match only the server's own topics. */
export const isSystemFilter = (filter: string): boolean =>
  filter === systemRoot || filter.startsWith(`${systemRoot}/`);

/** See the module. */
export class SystemTopics implements RetainedSource {
  readonly #texts = new Map<string, string>();
  #messages: readonly Message[] = [];

  /** Takes all values, by topic, and gives those that changed as messages. */
  update(values: Readonly<Record<string, string>>): Message[] {
    const changed: Message[] = [];
    const known = new Map(this.#messages.map((message) => [message.topic, message]));
    this.#messages = Object.entries(values).map(([topic, text]) => {
      const before = known.get(topic);
      if (before !== undefined && this.#texts.get(topic) === text) return before;
      this.#texts.set(topic, text);
      const message = new Message({
        topic,
        payload: utf8.encode(text),
        qos: 0,
        retain: true,
        properties: noProperties,
        expiresMs: Infinity,
      });
      changed.push(message);
      return message;
    });
    return changed;
  }

  /** There are few: they are one page. */
  page(filter: string): RetainedPage {
    const messages = this.#messages.filter(({ topic }) => filterMatches(filter, topic));
    return { messages, after: undefined };
  }
}
