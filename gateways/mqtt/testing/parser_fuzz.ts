/**
 * Mutated packets through the scanner and the parsers, checked against what must hold of any bytes:
 * they end in packets or in a `ProtocolError`, in the same ones however they are split, and what is
 * accepted can be written and read again as the same.
 *
 * @module
 */
import assert from "node:assert/strict";
import { encodePacket, type Packet } from "../codec/packet.ts";
import type { ProtocolVersion, Role } from "../codec/packet_type.ts";
import { ProtocolError } from "../codec/protocol_error.ts";
import { PacketScanner } from "../codec/scanner.ts";
import { Collector } from "../codec/testing/collector.ts";
import { packetSamples, sampleBytes } from "../codec/testing/packet_samples.ts";
import { mutate, type Seed } from "./mutations.ts";
import { SeededRandom } from "./seeded_random.ts";

/** Valid packets that the given end may receive. */
export function seedsFor(role: Role, version: ProtocolVersion): Seed[] {
  return packetSamples
    .filter(({ to, version: of }) => to === role && of === version)
    .map((sample) => ({ version, bytes: sampleBytes(sample) }));
}

/** What a stream of bytes came to. */
export interface Parsed {
  readonly packets: readonly Packet[];
  /** Absent: the bytes ended on or within a packet. */
  readonly reasonCode?: number;
}

export interface FuzzCount {
  readonly accepted: number;
  readonly refused: number;
}

const packetBytesMax = 4_096;

/** Feeds `bytes` in parts, as a session does, each part a buffer of its own length. */
export function parseInParts(
  role: Role,
  version: ProtocolVersion | undefined,
  bytes: Uint8Array,
  cuts: readonly number[],
): Parsed {
  const collector = new Collector();
  const options = version === undefined ? { packetBytesMax } : { version, packetBytesMax };
  const scanner = new PacketScanner(role, collector, options);
  let taken = 0;
  try {
    for (const cut of [...cuts, bytes.length]) {
      // A buffer that ends where the input ends: nothing can be read past it.
      const part = bytes.slice(0, cut);
      taken = scanner.scan(part, taken, part.length);
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { packets: collector.packets, reasonCode: error.reasonCode };
  }
  return { packets: collector.packets };
}

/**
 * Runs `count` inputs. What goes wrong is thrown with the seed of its input, and
 * `fuzzParsers(seed, 1)` does it again.
 */
export function fuzzParsers(seed: number, count: number): FuzzCount {
  let accepted = 0;
  let refused = 0;
  for (let i = 0; i < count; i++) {
    const random = new SeededRandom(seed + i);
    const role = random.pick(roles);
    const version = random.pick(versions);
    const seeds = corpus(role, version);
    const bytes = mutate(random.pick(seeds), random, seeds);
    // CONNECT comes where the version is not known yet.
    const known = bytes[0]! >> 4 === 1 && role === "server" ? undefined : version;
    try {
      const whole = parseInParts(role, known, bytes, []);
      checkParsed(role, known, bytes, whole, random);
      if (whole.reasonCode === undefined) accepted++;
      else refused++;
    } catch (cause) {
      throw new Error(`${replay(seed + i)}: ${bytes.toHex()} to a ${role} of MQTT ${known}`, {
        cause,
      });
    }
  }
  return { accepted, refused };
}

/** How to have an input again. */
export const replay = (seed: number): string => `deno task fuzz --seed ${seed} --count 1`;

const roles = ["server", "server", "client"] as const;
const versions = [4, 5, 5] as const;
const corpora = new Map<string, readonly Seed[]>();

function corpus(role: Role, version: ProtocolVersion): readonly Seed[] {
  const key = `${role} ${version}`;
  let seeds = corpora.get(key);
  if (seeds === undefined) corpora.set(key, seeds = seedsFor(role, version));
  return seeds;
}

function checkParsed(
  role: Role,
  version: ProtocolVersion | undefined,
  bytes: Uint8Array,
  whole: Parsed,
  random: SeededRandom,
): void {
  const cuts = [random.below(bytes.length + 1), random.below(bytes.length + 1)]
    .toSorted((a, b) => a - b);
  assert.deepEqual(parseInParts(role, version, bytes, cuts), whole, `cut at ${cuts}`);
  for (const packet of whole.packets) {
    const spoken = packet.kind === "connect" ? packet.version : version;
    if (spoken === undefined) throw new Error("a packet before CONNECT");
    const again = encodePacket(packet, spoken);
    const known = packet.kind === "connect" && role === "server" ? undefined : spoken;
    assert.deepEqual(parseInParts(role, known, again, []).packets, [packet]);
  }
}
