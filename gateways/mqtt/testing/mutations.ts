/**
 * Packets that are nearly right: valid ones with one to four changes, each of a kind that breaks
 * parsers. Most keep a fitting remaining length, so that the change is read and not cut off.
 *
 * @module
 */
import { concatBytes } from "../../../actors/concat_bytes.ts";
import type { ProtocolVersion } from "../codec/packet_type.ts";
import { propertyTable } from "../codec/property_table.ts";
import { PacketWriter } from "../codec/writer.ts";
import type { SeededRandom } from "./seeded_random.ts";

/** A valid packet to begin with. */
export interface Seed {
  readonly version: ProtocolVersion;
  readonly bytes: Uint8Array;
}

/** A packet without its length: first byte and body. */
interface Draft {
  first: number;
  body: Uint8Array;
}

const interesting = [0, 1, 2, 4, 0x1f, 0x20, 0x23, 0x2b, 0x2f, 0x7f, 0x80, 0xc0, 0xed, 0xef, 0xff];

type Mutation = (draft: Draft, random: SeededRandom, others: readonly Seed[]) => void;

const mutations: readonly Mutation[] = [
  function flipBits({ body }, random) {
    for (let i = random.below(4); i >= 0 && body.length > 0; i--) {
      body[random.below(body.length)]! ^= 1 << random.below(8);
    }
  },
  function setByte({ body }, random) {
    if (body.length > 0) body[random.below(body.length)] = random.pick(interesting);
  },
  /** Lengths of strings, packet identifiers, limits. */
  function setTwoBytes({ body }, random) {
    if (body.length < 2) return;
    const at = random.below(body.length - 1);
    const value = random.pick([0, 1, body.length, body.length - at, 0xffff, 0x8000, random.next()]);
    body[at] = value >>> 8;
    body[at + 1] = value;
  },
  function anotherType(draft, random) {
    draft.first = random.chance(0.5) ? draft.first ^ (1 << random.below(8)) : random.below(256);
  },
  function truncate(draft, random) {
    draft.body = draft.body.slice(0, random.below(draft.body.length + 1));
  },
  function cutOut(draft, random) {
    const [start, end] = range(draft, random);
    draft.body = concatBytes([draft.body.subarray(0, start), draft.body.subarray(end)]);
  },
  function sayTwice(draft, random) {
    const [start, end] = range(draft, random);
    draft.body = concatBytes([draft.body.subarray(0, end), draft.body.subarray(start)]);
  },
  function insert(draft, random) {
    const at = random.below(draft.body.length + 1);
    const added = random.bytes(random.below(12));
    draft.body = concatBytes([draft.body.subarray(0, at), added, draft.body.subarray(at)]);
  },
  function grow(draft, random) {
    draft.body = concatBytes([draft.body, new Uint8Array(random.below(3_000)).fill(random.next())]);
  },
  function splice(draft, random, others) {
    const other = draftOf(random.pick(others).bytes).body;
    const start = random.below(draft.body.length + 1);
    draft.body = concatBytes([
      draft.body.subarray(0, start),
      other.subarray(random.below(other.length + 1)),
    ]);
  },
  /** A property, known or not, where properties stand: perhaps a second time, or in a wrong packet. */
  function addProperty(draft, random) {
    const at = propertiesAt(draft);
    if (at === undefined) return;
    const length = draft.body[at]!;
    const added = property(random);
    if (length + added.length >= 0x80) return;
    const after = at + 1 + (random.chance(0.5) ? 0 : Math.min(length, draft.body.length - at - 1));
    draft.body = concatBytes([draft.body.subarray(0, after), added, draft.body.subarray(after)]);
    draft.body[at] = length + added.length;
  },
  /** A variable byte integer that never ends, or is longer than it need be. */
  function overflowVarint(draft, random) {
    const at = propertiesAt(draft) ?? random.below(draft.body.length + 1);
    const value = random.pick([[0xff, 0xff, 0xff, 0xff, 0xff], [0x80, 0x80, 0x80, 0x80, 1], [
      0x80,
      0,
    ], [0xff, 0xff, 0xff, 0x7f]]);
    draft.body = concatBytes([draft.body.subarray(0, at), value, draft.body.subarray(at + 1)]);
  },
];

/** A changed packet with its header; `others` are what it may be spliced with. */
export function mutate(seed: Seed, random: SeededRandom, others: readonly Seed[]): Uint8Array {
  const draft = draftOf(seed.bytes);
  for (let i = random.below(4); i >= 0; i--) random.pick(mutations)(draft, random, others);
  return concatBytes([[draft.first], remainingLength(draft.body.length, random), draft.body]);
}

function draftOf(bytes: Uint8Array): Draft {
  let at = 1;
  while (bytes[at]! >= 0x80) at++;
  return { first: bytes[0]!, body: bytes.slice(at + 1) };
}

/** Mostly right; else too small, too large, longer than it need be, or without an end. */
function remainingLength(length: number, random: SeededRandom): ArrayLike<number> {
  if (random.chance(0.85)) return varint(length);
  switch (random.below(4)) {
    case 0:
      return varint(random.below(length + 1));
    case 1:
      return varint(length + random.below(300));
    case 2:
      return [0x80 | (length & 0x7f), 0x80 | ((length >> 7) & 0x7f), (length >> 14) & 0x7f];
    default:
      return random.pick([[0xff, 0xff, 0xff, 0xff, 0x7f], [0xff, 0xff, 0xff, 0x7f]]);
  }
}

function varint(value: number): Uint8Array {
  const writer = new PacketWriter();
  writer.varint(value);
  return writer.bytes.slice(0, writer.length);
}

/** Where the property length stands in a body of MQTT 5; a guess, as everything here may be broken. */
function propertiesAt({ first, body }: Draft): number | undefined {
  const text = (at: number): number => at + 2 + ((body[at]! << 8) | body[at + 1]!);
  const at = first >> 4 === 1
    ? text(0) + 4
    : first >> 4 === 3
    ? text(0) + ((first & 6) === 0 ? 0 : 2)
    : first >> 4 === 8 || first >> 4 === 10
    ? 2
    : first >> 4 >= 14
    ? 1
    : 3;
  return at < body.length ? at : undefined;
}

function property(random: SeededRandom): Uint8Array {
  const spec = random.pick(propertyTable);
  const writer = new PacketWriter();
  writer.varint(random.chance(0.1) ? random.below(200) : spec.id);
  switch (spec.type) {
    case "flag":
    case "byte":
      writer.byte(random.pick([0, 1, 2, 255]));
      break;
    case "uint16":
      writer.uint16(random.pick([0, 1, 17, 0xffff]));
      break;
    case "uint32":
      writer.uint32(random.pick([0, 1, 60, 0xffff_ffff]));
      break;
    case "varint":
      writer.varint(random.pick([0, 1, 200, 268_435_455]));
      break;
    case "binary":
      writer.binary(random.bytes(random.below(4)));
      break;
    case "text":
      writer.text(random.pick(["", "t", "a/+", "é", "\0", "$share/g/a"]));
      break;
    case "pair":
      writer.text("k");
      writer.text(random.pick(["", "v", "\ufeff"]));
      break;
  }
  return writer.bytes.slice(0, writer.length);
}

function range({ body }: Draft, random: SeededRandom): [start: number, end: number] {
  const start = random.below(body.length + 1);
  return [start, start + random.below(body.length - start + 1)];
}
