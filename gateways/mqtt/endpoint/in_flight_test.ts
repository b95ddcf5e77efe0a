import assert from "node:assert/strict";
import fc from "fast-check";
import { type Acknowledger, InFlight } from "./in_flight.ts";
import { PacketIdSet } from "./packet_id_set.ts";

type Released = readonly [packetId: number, qos: 1 | 2, reasonCode: number];

function collector(): Acknowledger & { readonly released: Released[] } {
  const released: Released[] = [];
  return { released, acknowledge: (id, qos, code) => released.push([id, qos, code]) };
}

Deno.test("releases in the order of arrival, each once, with its own fate", () => {
  const command = fc.oneof(
    fc.record({ kind: fc.constant("push" as const), qos: fc.constantFrom(1 as const, 2 as const) }),
    fc.record({
      kind: fc.constant("settle" as const),
      which: fc.nat(),
      code: fc.constantFrom(0, 0x10, 0x99),
    }),
    fc.record({ kind: fc.constantFrom("release" as const, "rest" as const, "unpush" as const) }),
  );
  fc.assert(
    fc.property(fc.array(command, { maxLength: 300 }), (commands) => {
      const inFlight = new InFlight(64);
      const to = collector();
      const model: { sequence: number; id: number; qos: 1 | 2; code: number | undefined }[] = [];
      const expected: Released[] = [];
      let nextId = 1;
      for (const step of commands) {
        if (step.kind === "push" && model.length < inFlight.countMax) {
          const id = nextId++;
          model.push({ sequence: inFlight.push(id, step.qos), id, qos: step.qos, code: undefined });
        } else if (step.kind === "settle" && model.length > 0) {
          const entry = model[step.which % model.length]!;
          inFlight.settle(entry.sequence, entry.code = step.code);
        } else if (step.kind === "release") {
          inFlight.release(to);
          while (model[0]?.code !== undefined) {
            const { id, qos, code } = model.shift()!;
            expected.push([id, qos, code!]);
          }
        } else if (step.kind === "rest") {
          inFlight.rest();
        } else if (step.kind === "unpush" && model.length > 0) {
          inFlight.unpush();
          model.pop();
        }
        assert.equal(inFlight.count, model.length);
      }
      assert.deepEqual(to.released, expected);
    }),
    { numRuns: 500, seed: 6 },
  );
});

Deno.test("a sequence that is not in flight is ignored", () => {
  const inFlight = new InFlight(4);
  inFlight.settle(0, 0);
  const sequence = inFlight.push(7, 1);
  inFlight.settle(sequence + 1, 0);
  inFlight.settle(-1, 0);
  const to = collector();
  inFlight.release(to);
  assert.deepEqual(to.released, []);
  inFlight.settle(sequence, 0);
  inFlight.release(to);
  inFlight.settle(sequence, 0x99);
  inFlight.release(to);
  assert.deepEqual(to.released, [[7, 1, 0]]);
});

Deno.test("a set of packet identifiers is a set", () => {
  const ids = fc.constantFrom(1, 2, 31, 32, 33, 65_535, 0x8000);
  const steps = fc.array(fc.record({ id: ids, kind: fc.constantFrom("add", "delete", "rest") }));
  fc.assert(
    fc.property(steps, (list) => {
      const set = new PacketIdSet();
      const model = new Set<number>();
      for (const { id, kind } of list) {
        if (kind === "add") {
          set.add(id);
          model.add(id);
        } else if (kind === "delete") assert.equal(set.delete(id), model.delete(id));
        else set.rest();
        assert.equal(set.size, model.size);
        assert.equal(set.has(id), model.has(id));
      }
    }),
    { numRuns: 300, seed: 7 },
  );
});
