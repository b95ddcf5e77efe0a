import assert from "node:assert/strict";
import { SharedCounts, sharedCountsMemory } from "../../../actors/rates/shared_counts.ts";
import { encodePacket } from "../codec/packet.ts";
import { originHashOf } from "./endpoint_options.ts";
import { type ClientConnected, parseClientConnected, SharedRoll } from "./shared_roll.ts";
import { type MemoryConnection, SessionHarness, settle } from "./testing.ts";

/** Two shards; what they tell each other is carried by hand. */
class Pair {
  readonly #mail: { readonly to: number; readonly connected: ClientConnected }[] = [];
  readonly #memory = sharedCountsMemory(2);
  readonly shards = [0, 1].map((shard) => {
    const counts = new SharedCounts(this.#memory, shard);
    const roll = new SharedRoll(counts, (to, connected) => {
      this.#mail.push({ to, connected: parseClientConnected(structuredClone(connected)) });
    });
    // As if both had counted theirs before either looked for others.
    counts.add(originHashOf("dev"));
    return new SessionHarness({ roll });
  });

  /** A client connects to the shard; the others have not heard of it. */
  connect(shard: number): Promise<MemoryConnection> {
    return this.shards[shard]!.connected({ version: 5 });
  }

  async carry(): Promise<void> {
    for (const { to, connected } of this.#mail.splice(0)) {
      this.shards[to]!.shared.registry.takeOver(connected.sessionKey, connected.order);
    }
    await settle();
  }

  get connected(): readonly number[] {
    return this.shards.map(({ shared }) => shared.registry.connected);
  }
}

// Shows 5: 3.1.4-3; 3.1.1: 3.1.4-2.
Deno.test("two shards let in one client in the same moment: the later one stays", async () => {
  for (const [first, second] of [[0, 1], [1, 0]] as const) {
    const pair = new Pair();
    const before = await pair.connect(first);
    const later = await pair.connect(second);
    assert.deepEqual(pair.connected, [1, 1]);
    await pair.carry();
    assert.equal(before.halfClosed, true);
    assert.equal(pair.connected[second], 1);
    assert.equal(pair.connected[first], 0);
    later.feed(encodePacket({ kind: "pingreq" }, 5));
    await settle();
    assert.deepEqual(later.sent(5), [{ kind: "pingresp" }]);
  }
});

Deno.test("a client that goes from shard to shard, and news of it that is late", async () => {
  const pair = new Pair();
  for (let i = 0; i < 5; i++) await pair.connect(i % 2);
  await pair.carry();
  assert.deepEqual(pair.connected, [1, 0]);
  await pair.connect(1);
  await pair.carry();
  assert.deepEqual(pair.connected, [0, 1]);
});

Deno.test("what is no news of a client is not taken for it", () => {
  for (const message of [null, "k", {}, { sessionKey: "k" }, { sessionKey: 1, order: 1 }]) {
    assert.throws(() => parseClientConnected(message), TypeError);
  }
});
