/**
 * Which topic filters a broker connection subscribes to, and what a kept session must give up when
 * they change: a persistent session otherwise goes on delivering what nobody wants any more.
 *
 * @module
 */
import { filterCovers } from "../topic_filter.ts";

/**
 * The filters as they are sent: shared ones carry `$share/group/` (MQTT 5, section 4.8.2). A filter
 * that another one covers is left out: a broker may deliver a message once for each subscription
 * that it matches [MQTT-3.3.4-2], and that would be two readings.
 *
 * @example
 * ```ts
 * import { wireFilters } from "./subscriptions.ts";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(wireFilters(["device/+", "+/+", "a/b/c"], "g"), ["$share/g/+/+", "$share/g/a/b/c"]);
 * ```
 */
export function wireFilters(filters: readonly string[], share: string | undefined): string[] {
  const unique = [...new Set(filters)];
  const needed = unique.filter((filter) =>
    !unique.some((other) => other !== filter && filterCovers(other, filter))
  ).sort();
  return share === undefined ? needed : needed.map((filter) => `$share/${share}/${filter}`);
}

/**
 * What to say to the broker so that its session has exactly `wanted`. What a session that is
 * present has already is not asked for again: the broker would send its retained messages once more
 * [MQTT-3.8.4-3], and those would be new readings.
 */
export function subscriptionChange(
  had: readonly string[],
  wanted: readonly string[],
  sessionPresent: boolean,
): { readonly subscribe: string[]; readonly unsubscribe: string[] } {
  if (!sessionPresent) return { subscribe: [...wanted], unsubscribe: [] };
  return {
    subscribe: wanted.filter((filter) => !had.includes(filter)),
    unsubscribe: had.filter((filter) => !wanted.includes(filter)),
  };
}

/**
 * What the session has of `wanted` after the broker's answer to `subscribe`, and what it was refused:
 * codes from 0x80 on [MQTT-3.9.3]. `undefined` when that is no answer to each filter.
 */
export function subscriptionAnswer(
  subscribe: readonly string[],
  wanted: readonly string[],
  codes: readonly number[],
): { held: readonly string[]; refused: readonly { filter: string; code: number }[] } | undefined {
  if (codes.length !== subscribe.length) return undefined;
  const refused = subscribe.map((filter, at) => ({ filter, code: codes[at]! }))
    .filter(({ code }) => code >= 0x80);
  const held = wanted.filter((filter) => refused.every((other) => other.filter !== filter));
  return { held, refused };
}

/** Remembers, over restarts, what a session subscribed to. Its methods do not throw. */
export interface SubscriptionMemory {
  load(clientId: string): string[];
  save(clientId: string, filters: readonly string[]): void;
}
