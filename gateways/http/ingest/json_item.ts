/**
 * The topic of a JSON item that came over HTTP or WebSocket, where the request does not give it:
 *
 * | item                                                    | topic                       |
 * | ------------------------------------------------------- | --------------------------- |
 * | `{"topic": …, "payload": …}`                            | as it says; the payload is the reading |
 * | GeoJSON Feature with `properties.fleet` and `.vehicle`  | `{fleet}/{vehicle}/position` |
 * | `{"fleet": …, "vehicle": …, …}`                         | `{fleet}/{vehicle}/position` |
 * | `{"uuid": …, …}`                                        | `device/{uuid}`             |
 * | `{"name": …, …}`                                        | `$weather/{name}`; a `token` is taken out |
 *
 * @module
 */
import { concatBytes } from "../../../actors/concat_bytes.ts";
import { badItem, type Item } from "./item.ts";
import { eachMember, members, type Range, stringAt } from "./json_ranges.ts";
import { whyNot } from "./why_not.ts";

const keys: ReadonlySet<string> = new Set([
  "topic",
  "payload",
  "type",
  "properties",
  "fleet",
  "vehicle",
  "uuid",
  "name",
  "token",
]);

type Members = ReadonlyMap<string, Range>;

/** An item whose topic is the request's, or as its shape says. */
export function jsonItem(bytes: Uint8Array, { start, end }: Range, topic?: string): Item {
  if (topic !== undefined) return { topic, bytes, start, end };
  const found = members(bytes, start, end, keys);
  const bad = (reason: string, detail: string | (() => string)) =>
    badItem(bytes, start, end, reason, detail);
  if (found === undefined) {
    return bad("malformed", () => whyNot(bytes, { start, end }, "it is no JSON object"));
  }
  const text = (name: string, of: Members = found): string | undefined => {
    const range = of.get(name);
    return range && stringAt(bytes, range);
  };
  const payload = found.get("payload");
  if (payload !== undefined && found.has("topic")) {
    const given = text("topic");
    if (given === undefined) return bad("invalid_topic", "the topic is no text");
    const problem = topicProblem(given);
    if (problem !== undefined) return bad("invalid_topic", problem);
    return { topic: given, bytes, start: payload.start, end: payload.end };
  }
  const levels = shapeTopic(text, () => {
    const range = found.get("properties");
    const inner = range && members(bytes, range.start, range.end, keys);
    return (name) => inner && text(name, inner);
  });
  if (levels === undefined) {
    return bad(
      "no_topic",
      'what it is cannot be told: give ?topic=, {"topic", "payload"}, or the payload of a route',
    );
  }
  // An id with a slash would be another topic, and maybe another's.
  if (levels.some((level) => level === "" || /[/+#\0\n]/.test(level))) {
    return bad("invalid_topic", "a name that becomes part of the topic is empty or has / + #");
  }
  const item = { topic: levels.join("/"), bytes, start, end };
  return levels[0] === "$weather" && found.has("token") ? withoutToken(item, text("token")) : item;
}

const nothing = new TextEncoder().encode("null");

/** The item with `null` for its token, so that no log, letter or subscriber ever has it. */
export function withoutToken(item: Item, token: string | undefined): Item {
  const { topic, bytes, start, end } = item;
  const parts: Uint8Array[] = [];
  let from = start;
  eachMember(bytes, { start, end }, (key, value) => {
    if (key !== "token") return;
    parts.push(bytes.subarray(from, value.start), nothing);
    from = value.end;
  });
  const bare = concatBytes([...parts, bytes.subarray(from, end)]);
  const shown = token === undefined ? {} : { token };
  return { topic, bytes: bare, start: 0, end: bare.length, ...shown };
}

/** Why a topic cannot be given, beside what every topic must be. */
export function topicProblem(topic: string): string | undefined {
  return topic.startsWith("$") ? "a topic that begins with $ is not for senders" : undefined;
}

type Text = (name: string) => string | undefined;

function shapeTopic(text: Text, properties: () => Text): string[] | undefined {
  const isFeature = text("type") === "Feature";
  const of = isFeature ? properties() : text;
  const fleet = of("fleet");
  const vehicle = of("vehicle");
  if (fleet !== undefined && vehicle !== undefined) return [fleet, vehicle, "position"];
  if (isFeature) return undefined;
  const uuid = text("uuid");
  if (uuid !== undefined) return ["device", uuid];
  const name = text("name");
  return name === undefined ? undefined : ["$weather", name];
}
