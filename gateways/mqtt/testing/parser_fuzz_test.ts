/** A bounded part of `deno task fuzz`: the same inputs every time. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { parser } from "mqtt-packet";
import { mutate } from "./mutations.ts";
import { fuzzParsers, parseInParts, replay, seedsFor } from "./parser_fuzz.ts";
import { SeededRandom } from "./seeded_random.ts";

Deno.test("mutated packets end in packets or a ProtocolError, however they are split", () => {
  const { accepted, refused } = fuzzParsers(1, 20_000);
  // If hardly any were accepted, or refused, the mutations would not test much.
  assert.ok(accepted > 2_000 && refused > 2_000, `${accepted} accepted, ${refused} refused`);
});

Deno.test("every packet, valid or mutated, is read the same split at every byte", () => {
  for (const version of [4, 5] as const) {
    const seeds = seedsFor("server", version);
    const random = new SeededRandom(version);
    for (const seed of seeds) {
      for (const bytes of [seed.bytes, mutate(seed, random, seeds), mutate(seed, random, seeds)]) {
        const known = bytes[0]! >> 4 === 1 ? undefined : version;
        const whole = parseInParts("server", known, bytes, []);
        const all = Array.from({ length: bytes.length }, (_, cut) => cut);
        assert.deepEqual(parseInParts("server", known, bytes, all), whole, bytes.toHex());
      }
    }
  }
});

Deno.test("a mutated packet that is accepted here, mqtt-packet accepts too", () => {
  let accepted = 0;
  const corpora = { 4: seedsFor("server", 4), 5: seedsFor("server", 5) } as const;
  for (let seed = 1; seed <= 12_000; seed++) {
    const random = new SeededRandom(seed);
    const version = random.pick([4, 5] as const);
    const seeds = corpora[version];
    const bytes = mutate(random.pick(seeds), random, seeds);
    const known = bytes[0]! >> 4 === 1 ? undefined : version;
    const { packets, reasonCode } = parseInParts("server", known, bytes, []);
    if (reasonCode !== undefined || packets.length !== 1) continue;
    // An empty AUTH means success (§3.15.2.1); mqtt-packet does not know it.
    if (packets[0]?.kind === "auth" && bytes.length === 2) continue;
    accepted++;
    const kinds: string[] = [];
    const oracle = parser({ protocolVersion: version });
    oracle.on("packet", ({ cmd }) => kinds.push(cmd));
    oracle.on("error", ({ message }) => assert.fail(`${message}: ${bytes.toHex()}, seed ${seed}`));
    oracle.parse(Buffer.from(bytes));
    assert.deepEqual(kinds, packets.map(({ kind }) => kind), `${bytes.toHex()}, seed ${seed}`);
  }
  assert.ok(accepted > 1_000, `${accepted} accepted`);
});

Deno.test("a failure says how to have it again", () => {
  const random = new SeededRandom(7);
  const again = new SeededRandom(7);
  const seeds = seedsFor("server", 5);
  assert.deepEqual(
    mutate(random.pick(seeds), random, seeds),
    mutate(again.pick(seeds), again, seeds),
  );
  assert.equal(replay(7), "deno task fuzz --seed 7 --count 1");
});
