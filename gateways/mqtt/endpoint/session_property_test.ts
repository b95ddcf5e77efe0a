/** A session under random clients, owners and credit: what holds in every order of events. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { encodePacket, type Packet } from "../codec/packet.ts";
import { packetSamples, sampleBytes } from "../codec/testing/packet_samples.ts";
import type { Qos } from "../codec/publish.ts";
import { connectOf, publishOf, SessionHarness, settle, testLimits } from "./testing.ts";

type Step =
  | { readonly kind: "send"; readonly qos: Qos; readonly size: number }
  | { readonly kind: "settle"; readonly which: number; readonly rejected: boolean }
  | { readonly kind: "credit"; readonly more: number }
  | { readonly kind: "block" | "unblock" | "turn" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("send" as const),
      qos: fc.constantFrom<Qos>(0, 1, 2),
      size: fc.constantFrom(0, 10, 600, 5_000),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("settle" as const),
      which: fc.nat(),
      rejected: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("credit" as const), more: fc.nat(3) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom("block" as const, "unblock", "turn") }),
  },
);

Deno.test("every message is taken once, and acknowledged once, in order, after it was settled", () =>
  fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const harness = new SessionHarness({ limits: { ...testLimits, receiveMaximum: 6 } });
      const { intake } = harness;
      const connection = await harness.connected();
      intake.credit = 2;
      const sent: { readonly qos: Qos; readonly packetId: number }[] = [];
      const settled = new Set<number>();
      const answers: Packet[] = [];
      const settleOne = (which: number, rejected: boolean): void => {
        const open = intake.taken.keys().filter((place) => !settled.has(place)).toArray();
        const place = open[which % open.length];
        if (place === undefined) return;
        settled.add(place);
        const rejection = { outcome: "dead_lettered", reason: "bad_json" } as const;
        intake.settle([place], rejected ? rejection : undefined);
      };
      const check = (): void => {
        answers.push(...connection.sent(4));
        const due = sent.filter(({ qos }) => qos > 0).slice(0, answers.length);
        const expected = due.map((
          { qos, packetId },
        ) => [qos === 1 ? "puback" : "pubrec", packetId]);
        assert.deepEqual(answers.map((answer) => [answer.kind, idOf(answer)]), expected);
        for (const { packetId } of due) {
          const place = intake.taken.findIndex((reading) => reading.packetId === packetId);
          assert.ok(settled.has(place), `packet ${packetId} acknowledged before it was settled`);
        }
      };

      for (const action of steps) {
        switch (action.kind) {
          case "send": {
            const { qos, size } = action;
            const packetId = qos === 0 ? 0 : sent.length + 1;
            sent.push({ qos, packetId });
            const topic = `device/${sent.length}`;
            const payload = new Uint8Array(size).fill(0x20);
            connection.feed(encodePacket(publishOf({ topic, payload, qos, packetId }), 4));
            break;
          }
          case "settle":
            settleOne(action.which, action.rejected);
            break;
          case "credit":
            intake.grant(intake.credit + action.more);
            break;
          case "block":
            connection.blockWrites();
            break;
          case "unblock":
            connection.unblockWrites();
            break;
          case "turn":
            await settle();
            check();
        }
      }
      connection.unblockWrites();
      intake.grant(Infinity);
      for (let round = 0; round < sent.length + 2; round++) {
        await settle();
        while (settled.size < intake.taken.length) settleOne(0, false);
      }
      await settle();
      check();
      assert.deepEqual(
        intake.taken.map(({ topic }) => topic),
        sent.map((_, i) => `device/${i + 1}`),
      );
      assert.equal(answers.length, sent.filter(({ qos }) => qos > 0).length);
      assert.equal(connection.reading, true);
    }),
    { numRuns: 150, seed: 8 },
  ));

function idOf(packet: Packet): number {
  return "packetId" in packet ? packet.packetId : 0;
}

Deno.test("whatever bytes come, a session ends by its own decision and gives back what it held", () => {
  const valid = packetSamples.filter(({ to }) => to === "server").map(sampleBytes);
  const part = fc.oneof(
    fc.constantFrom(...valid),
    fc.uint8Array({ maxLength: 40 }),
    fc.record({ of: fc.constantFrom(...valid), at: fc.nat(), to: fc.nat(255) }).map(
      ({ of, at, to }) => of.with(at % of.length, to),
    ),
  );
  const version = fc.constantFrom(3 as const, 4 as const, 5 as const);
  return fc.assert(
    fc.asyncProperty(
      fc.option(version),
      fc.array(part, { maxLength: 12 }),
      async (level, parts) => {
        const harness = new SessionHarness();
        const { connection } = harness.open();
        if (level !== null) connection.feed(encodePacket(connectOf({ version: level }), level));
        connection.feed(...parts.filter(({ length }) => length > 0));
        await settle();
        while (harness.intake.taken.length > 0 && harness.intake.credit > 0) {
          harness.intake.settle([...harness.intake.taken.keys()]);
          harness.intake.credit = 0;
        }
        connection.end();
        await settle();
        await harness.sweepAfter(60_000);
        assert.equal(connection.closed, true);
        assert.equal(harness.ended.length, 1);
        assert.notEqual(harness.ended[0]?.end, "crashed");
        assert.equal(harness.shared.registry.size, 0);
        assert.equal(harness.shared.budget.usedBytes, 0);
        assert.equal(harness.stats.sessions, 0);
      },
    ),
    { numRuns: 400, seed: 9 },
  );
});
