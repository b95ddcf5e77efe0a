/**
 * What a station says in one frame: a JSON object. Its readings stay the bytes that came.
 *
 * @module
 */
import type { Item } from "../http/ingest/item.ts";
import { jsonItem, topicProblem, withoutToken } from "../http/ingest/json_item.ts";
import { elements, members, type Range, stringAt } from "../http/ingest/json_ranges.ts";
import { badItem } from "../http/ingest/item.ts";
import { clientIdCharsMax } from "../mqtt/endpoint/connect_rules.ts";

/** What names a frame in its acknowledgement; `undefined`: its number in the connection. */
export type FrameId = number | string | undefined;

export type StationFrame =
  | { readonly kind: "hello"; readonly token: string | undefined; readonly station: string }
  | { readonly kind: "ping" }
  | {
    readonly kind: "readings";
    readonly id: FrameId;
    readonly items: readonly Item[];
    /** Each that it shows: its own, and those of its items. */
    readonly tokens: readonly string[];
  }
  | { readonly kind: "result"; readonly id: FrameId; readonly result: unknown }
  | { readonly kind: "bad"; readonly detail: string };

/** Largest frame. */
export const frameBytesMax = 512 * 1024;
/** Largest frame of who has not shown a token yet, which may be in it. */
export const strangerBytesMax = 64 * 1024;

const keys: ReadonlySet<string> = new Set([
  "type",
  "id",
  "token",
  "station",
  "topic",
  "payload",
  "items",
  "result",
]);
const decoder = new TextDecoder();
const idCharsMax = 64;

/** Reads a frame of at most so many items. */
export function stationFrame(bytes: Uint8Array, itemsMax: number): StationFrame {
  const bad = (detail: string): StationFrame => ({ kind: "bad", detail });
  const whole: Range = { start: 0, end: bytes.length };
  const found = members(bytes, 0, bytes.length, keys);
  if (found === undefined) return bad("a frame is a JSON object");
  const text = (name: string): string | undefined => {
    const range = found.get(name);
    return range && stringAt(bytes, range);
  };
  const id = idOf(bytes, found.get("id"));
  if (id === false) return bad(`an id is a whole number, or a text of ${idCharsMax} characters`);
  const token = text("token");
  switch (text("type")) {
    case "hello": {
      const station = text("station") ?? "";
      // It is a client id: sessions keep it, bans and what tells readings apart hash it.
      if (station.length > clientIdCharsMax) {
        return bad(`a station's name has ${clientIdCharsMax} characters at most`);
      }
      return { kind: "hello", token, station };
    }
    case "ping":
      return { kind: "ping" };
    case "result":
      return { kind: "result", id, result: jsonAt(bytes, found.get("result")) };
    case "reading": {
      const payload = found.get("payload");
      if (payload === undefined) return bad("a reading has a payload");
      return readings(id, token, [readingItem(bytes, payload, text("topic"))]);
    }
    case "batch": {
      const range = found.get("items");
      const all = range && elements(bytes, range.start, range.end, itemsMax);
      if (all === undefined) return bad("a batch has items");
      if (all === "too_many") return bad(`a batch has ${itemsMax} items at most`);
      return readings(id, token, all.map((item) => jsonItem(bytes, item)));
    }
    default: {
      // The payload of a route, by itself; a token in it is the frame's.
      const item = jsonItem(bytes, whole);
      const isBare = token === undefined || item.token !== undefined || item.problem !== undefined;
      return readings(undefined, token, [isBare ? item : withoutToken(item, token)]);
    }
  }
}

function readings(id: FrameId, token: string | undefined, items: readonly Item[]): StationFrame {
  const shown = [token, ...items.map((item) => item.token)].filter((one) => one !== undefined);
  return { kind: "readings", id, tokens: [...new Set(shown)], items };
}

function readingItem(bytes: Uint8Array, payload: Range, topic: string | undefined): Item {
  const problem = topic === undefined ? undefined : topicProblem(topic);
  return problem === undefined
    ? jsonItem(bytes, payload, topic)
    : badItem(bytes, payload.start, payload.end, "invalid_topic", problem);
}

function idOf(bytes: Uint8Array, range: Range | undefined): FrameId | false {
  const id = jsonAt(bytes, range);
  if (id === undefined || id === null) return undefined;
  if (typeof id === "number") return Number.isSafeInteger(id) && id >= 0 && id;
  return typeof id === "string" && id.length <= idCharsMax && id;
}

function jsonAt(bytes: Uint8Array, range: Range | undefined): unknown {
  if (range === undefined) return undefined;
  try {
    return JSON.parse(decoder.decode(bytes.subarray(range.start, range.end)));
  } catch {
    return undefined;
  }
}
