import assert from "node:assert/strict";
import fc from "fast-check";
import { OwnLimits } from "../../../actors/rates/account_limits.ts";
import { AccountQuotas, accountQuotasMemory } from "../../../actors/rates/account_quotas.ts";
import { SharedCounts, sharedCountsMemory } from "../../../actors/rates/shared_counts.ts";
import { encodePacket } from "../codec/packet.ts";
import { reasonCodes } from "../codec/reason_code.ts";
import type { ShardPair } from "../pubsub/testing/shard_pair.ts";
import { withShards } from "../kept/testing.ts";
import { sessionQuotas } from "./session_quotas.ts";
import { SharedRoll } from "./shared_roll.ts";
import { connectOf, type MemoryConnection, SessionHarness, settle, testLimits } from "./testing.ts";

/** How a client wants its session. */
interface Wish {
  readonly kept: boolean;
  readonly clean: boolean;
}

const keeps: Wish = { kept: true, clean: false };
const keepsNone: Wish = { kept: false, clean: true };
const expiryS = 600;

/** One account's clients in two shards. */
class World {
  readonly #pair: ShardPair;
  readonly #endpoints: readonly SessionHarness[];
  readonly #connections = new Map<string, MemoryConnection>();

  constructor(pair: ShardPair, sessionsMax: number) {
    this.#pair = pair;
    const specs = { sessionsMax, subscriptionsMax: undefined };
    const memory = accountQuotasMemory(specs, { workers: 2, sessionsEach: 50 }, 7, false);
    const roll = sharedCountsMemory(2);
    this.#endpoints = pair.shards.map((messages, shard) => {
      const quotas = new AccountQuotas(memory, specs, new OwnLimits(), 2, shard);
      return new SessionHarness({
        messages,
        limits: { ...testLimits, sessionExpiryMaxS: expiryS },
        authenticate: () => ({ kind: "granted", account: "A", accountVersion: 1 }),
        quotas: sessionQuotas(quotas, messages.kept?.accounts),
        roll: new SharedRoll(new SharedCounts(roll, shard), (shard, { sessionKey, order }) => {
          this.#endpoints[shard]!.shared.registry.takeOver(sessionKey, order);
        }),
      });
    });
  }

  /** CONNACK's code, if it has come. */
  async connect(shard: number, clientId: string, wish: Wish): Promise<number | undefined> {
    const connection = await this.begin(shard, clientId, wish);
    await this.carry();
    return this.answer(connection);
  }

  /** Says CONNECT, and carries nothing of what the shards tell each other. */
  async begin(
    shard: number,
    clientId: string,
    { kept, clean }: Wish,
  ): Promise<MemoryConnection> {
    const { connection } = this.#endpoints[shard]!.open();
    const properties = kept ? { sessionExpiryIntervalS: expiryS } : {};
    connection.feed(encodePacket(connectOf({ version: 5, clientId, clean, properties }), 5));
    await settle();
    this.#connections.set(clientId, connection);
    return connection;
  }

  answer(connection: MemoryConnection): number | undefined {
    const [connack] = connection.sent(5);
    return connack?.kind === "connack" ? connack.reasonCode : undefined;
  }

  async leave(clientId: string): Promise<void> {
    this.#connections.get(clientId)?.end();
    this.#connections.delete(clientId);
    await this.carry();
  }

  async carry(): Promise<void> {
    for (let round = 0; round < 3; round++) {
      this.#pair.carry();
      await settle();
    }
  }

  async stop(): Promise<void> {
    for (const { system } of this.#endpoints) await system.stop();
  }
}

const inWorld = (sessionsMax: number, run: (world: World, pair: ShardPair) => Promise<void>) =>
  withShards(async (pair) => {
    const world = new World(pair, sessionsMax);
    await run(world, pair);
    await world.stop();
  }, () => ({ countMax: 50 }));

const { success, quotaExceeded } = reasonCodes;

Deno.test("a kept session that comes back has one place, also while other shards have not answered", () =>
  inWorld(3, async (world) => {
    for (const id of ["a", "b"]) {
      assert.equal(await world.connect(0, id, keeps), success);
      await world.leave(id);
    }
    const back = [await world.begin(0, "a", keeps), await world.begin(1, "b", keeps)];
    assert.deepEqual(back.map((one) => world.answer(one)), [undefined, undefined]);
    const third = await world.begin(1, "c", keepsNone);
    assert.equal(world.answer(third), success, "there is one place left");
    assert.equal(world.answer(await world.begin(0, "d", keepsNone)), quotaExceeded);
    assert.equal(world.answer(await world.begin(0, "e", keeps)), quotaExceeded);
    await world.carry();
    assert.deepEqual(back.map((one) => world.answer(one)), [success, success]);
  }));

Deno.test("as many kept sessions as may be, all away: each may come back, to be kept or not, and none beside", () =>
  inWorld(2, async (world) => {
    for (const id of ["a", "b"]) {
      assert.equal(await world.connect(0, id, keeps), success);
      await world.leave(id);
    }
    assert.equal(await world.connect(1, "c", keepsNone), quotaExceeded);
    assert.equal(await world.connect(1, "a", { kept: true, clean: true }), success);
    assert.equal(await world.connect(1, "b", keepsNone), success);
    assert.equal(await world.connect(0, "c", keeps), quotaExceeded);
    await world.leave("b");
    assert.equal(
      await world.connect(0, "c", keeps),
      success,
      "what was not kept has left its place",
    );
    assert.equal(await world.connect(0, "b", keeps), quotaExceeded);
  }));

Deno.test("model: an account has as many sessions as it may, whoever of them comes and goes", async () => {
  const sessionsMax = 2;
  const step = fc.record({
    kind: fc.constantFrom("connect", "connect", "connect", "leave", "expire"),
    shard: fc.constantFrom(0, 1),
    id: fc.constantFrom("a", "b", "c", "d"),
    kept: fc.boolean(),
    clean: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 25 }),
      (steps) =>
        inWorld(sessionsMax, async (world, pair) => {
          /** By client: whether it is connected, and whether its session outlives that. */
          const sessions = new Map<string, { here: boolean; kept: boolean }>();
          for (const { kind, shard, id, kept, clean } of steps) {
            const session = sessions.get(id);
            if (kind === "leave") {
              await world.leave(id);
              if (session?.kept === false) sessions.delete(id);
              else if (session !== undefined) session.here = false;
            } else if (kind === "expire") {
              pair.clock.advance((expiryS + 1) * 1_000);
              for (const [id, { here }] of sessions) if (!here) sessions.delete(id);
            } else {
              const may = session !== undefined || sessions.size < sessionsMax;
              const code = await world.connect(shard, id, { kept, clean });
              assert.equal(code, may ? success : quotaExceeded);
              if (may) sessions.set(id, { here: true, kept });
            }
          }
        }),
    ),
    { numRuns: 25 },
  );
});
