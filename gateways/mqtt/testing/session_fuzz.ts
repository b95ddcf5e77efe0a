/**
 * Mutated packets to sessions, beside one that must not notice: it is answered and gets its
 * messages, no session crashes, and what they held is given back.
 *
 * @module
 */
import assert from "node:assert/strict";
import { encodePacket } from "../codec/packet.ts";
import {
  connectOf,
  type MemoryConnection,
  publishOf,
  SessionHarness,
  settle,
} from "../endpoint/testing.ts";
import { mutate } from "./mutations.ts";
import { replay, seedsFor } from "./parser_fuzz.ts";
import { SeededRandom } from "./seeded_random.ts";

/** Connections that are there at once. */
const atOnce = 40;
const corpora = { 4: seedsFor("server", 4), 5: seedsFor("server", 5) } as const;

/** What one connection sends: CONNECT, mostly as it should be, then packets that are not. */
export function fuzzedStream(seed: number): { bytes: Uint8Array; random: SeededRandom } {
  const random = new SeededRandom(seed);
  const version = random.pick([4, 5] as const);
  const corpus = corpora[version];
  const clientId = `fuzz-${random.below(50)}`;
  const parts: Uint8Array[] = [];
  if (random.chance(0.9)) parts.push(encodePacket(connectOf({ version, clientId }), version));
  for (let i = random.below(4); i >= 0; i--) {
    const { bytes } = random.pick(corpus);
    parts.push(
      random.chance(0.3) && bytes[0]! >> 4 !== 1
        ? bytes
        : mutate({ version, bytes }, random, corpus),
    );
  }
  return { bytes: Uint8Array.from(parts.flatMap((part) => [...part])), random };
}

/** Runs `count` connections. What goes wrong is thrown with the seeds to have it again. */
export async function fuzzSessions(seed: number, count: number): Promise<void> {
  for (let done = 0; done < count; done += atOnce) {
    const from = seed + done;
    const size = Math.min(atOnce, count - done);
    try {
      await batch(from, size);
    } catch (cause) {
      throw new Error(`${replay(from).replace("--count 1", `--count ${size}`)}: sessions`, {
        cause,
      });
    }
  }
}

async function batch(seed: number, size: number): Promise<void> {
  const harness = new SessionHarness();
  const healthy = await harness.connected({ clientId: "healthy", keepAliveS: 0 });
  // SUBSCRIBE to healthy/#.
  healthy.feed(Uint8Array.fromHex("820e000100096865616c7468792f2300"));
  await settle();
  assert.equal(healthy.sent(4)[0]?.kind, "suback");
  const connections: MemoryConnection[] = [];
  for (let i = 0; i < size; i++) {
    const { bytes, random } = fuzzedStream(seed + i);
    const { connection } = harness.open();
    const cut = random.below(bytes.length + 1);
    connection.feed(...[bytes.subarray(0, cut), bytes.subarray(cut)].filter((p) => p.length > 0));
    connections.push(connection);
  }
  await settle();
  harness.intake.settle([...harness.intake.taken.keys()]);
  await settle();
  await checkHealthy(harness, healthy);
  for (const connection of connections) if (!connection.closed) connection.end();
  await settle();
  await harness.sweepAfter(60_000);
  assert.deepEqual(harness.ended.filter(({ end }) => end === "crashed"), []);
  assert.equal(harness.ended.length, size);
  assert.equal(harness.shared.registry.size, 1);
  assert.equal(harness.shared.writers.waitingBytes, 0);
  await checkHealthy(harness, healthy);
  healthy.end();
  await settle();
  assert.equal(harness.shared.budget.usedBytes, 0);
  await harness.system.stop();
}

async function checkHealthy(harness: SessionHarness, healthy: MemoryConnection): Promise<void> {
  healthy.sent(4);
  healthy.feed(encodePacket(publishOf({ qos: 0, topic: "healthy/1" }), 4));
  healthy.feed(Uint8Array.of(0xc0, 0));
  await settle();
  const kinds = healthy.sent(4).map(({ kind }) => kind);
  assert.deepEqual(kinds.toSorted(), ["pingresp", "publish"]);
  assert.equal(harness.shared.registry.connected >= 1, true);
}
