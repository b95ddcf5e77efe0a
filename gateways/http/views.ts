/**
 * What the API shows, made of what the shards tell: times as RFC 3339, payloads as text.
 *
 * @module
 */
import type { RefusedTopicList } from "../../actors/refused_topics.ts";
import type { ShardSnapshot } from "../../actors/snapshot.ts";
import type { ActorView } from "../../runtime/inspect.ts";
import type { DeadLetterView, DeviceView, Page, ServiceInfo } from "./control.ts";
import { encodeCursor } from "./request.ts";
import { rfc3339 } from "./rfc3339.ts";

type Json = Readonly<Record<string, unknown>>;

/** `{items, next}`; `next` is the cursor of the following page. */
export function pageJson<T>({ items, next }: Page<T>, item: (one: T) => Json): Json {
  const shown = { items: items.map(item) };
  return next === undefined ? shown : { ...shown, next: encodeCursor(next) };
}

export function deviceJson({ lastSeenMs, lastError, ...rest }: DeviceView): Json {
  return {
    ...rest,
    lastSeen: rfc3339(lastSeenMs),
    ...(lastError === undefined ? {} : {
      lastError: {
        reason: lastError.reason,
        detail: lastError.detail,
        at: rfc3339(lastError.atMs),
      },
    }),
  };
}

export function actorJson({ lastError, children, ...rest }: ActorView): Json {
  return {
    ...rest,
    ...(lastError === undefined ? {} : {
      lastError: { name: lastError.name, message: lastError.message, at: rfc3339(lastError.atMs) },
    }),
    children: children.map(actorJson),
  };
}

/** The payload is `payload` when it is text, else `payloadBase64`. */
export function deadLetterJson({ payload, arrivedMs, ...rest }: DeadLetterView): Json {
  return { ...rest, arrived: rfc3339(arrivedMs), ...payloadJson(payload) };
}

export function refusedTopicsJson({ items, forgotten }: RefusedTopicList): Json {
  return {
    items: items.map(({ lastMs, ...rest }) => ({ ...rest, last: rfc3339(lastMs) })),
    forgotten,
  };
}

/** A payload that is text, or else in base 64. */
export function payloadJson(payload: Uint8Array): Json {
  try {
    return { payload: new TextDecoder("utf-8", { fatal: true }).decode(payload) };
  } catch {
    return { payloadBase64: payload.toBase64() };
  }
}

const sum = (values: Iterable<number | undefined>): number => {
  let total = 0;
  for (const value of values) total += value ?? 0;
  return total;
};

/** Counts of several as one, without those that are 0. */
function byReason(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const [reason, count] of all.flatMap((one) => Object.entries(one))) {
    if (count > 0) counts.set(reason, (counts.get(reason) ?? 0) + count);
  }
  return Object.fromEntries(counts);
}

/** The books of all shards together, and what does not change. */
export function statusJson(
  service: ServiceInfo,
  shards: readonly ShardSnapshot[],
  nowMs: number,
): Json {
  const total = (of: (shard: ShardSnapshot) => number): number => sum(shards.map(of));
  const values = (record: Readonly<Partial<Record<string, number>>>): number =>
    sum(Object.values(record));
  const { startedMs, ...rest } = service;
  return {
    ...rest,
    started: rfc3339(startedMs),
    now: rfc3339(nowMs),
    shards: shards.filter(({ name }) => name === undefined).length,
    notReady: [...new Set(shards.flatMap(({ notReady }) => notReady))],
    readings: {
      received: total(({ received }) => values(received)),
      stored: total(({ settled }) => settled.stored),
      duplicate: total(({ settled }) => settled.duplicate),
      deadLettered: total(({ settled }) => values(settled.deadLettered)),
      refused: total(({ settled }) => values(settled.refused)),
      inFlight: total(({ inFlight }) => inFlight),
      spool: total(({ spoolReadings }) => spoolReadings),
    },
    reasons: {
      deadLettered: byReason(shards.map(({ settled }) => settled.deadLettered)),
      refused: byReason(shards.map(({ settled }) => settled.refused)),
    },
    spoolBytes: total(({ spoolBytes }) => spoolBytes),
    sessions: total(({ sessions }) => values(sessions)),
    devices: {
      online: total(({ devices }) => devices.online),
      silent: total(({ devices }) => devices.silent),
      offline: total(({ devices }) => devices.offline),
    },
    restarts: total(({ restarts }) => values(restarts)),
  };
}
