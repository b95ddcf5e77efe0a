import assert from "node:assert/strict";
import fc from "fast-check";
import type { CodeStateError } from "./code_state.ts";
import { CodeStateRoom, CodeStates } from "./code_state_room.ts";

const size = (text: string) => new TextEncoder().encode(text).length;

Deno.test("a device and a shard keep no more than they may, whatever is kept in what order", () => {
  const options = { deviceBytesMax: 40, bytesMax: 100, routes: new Set(["a", "b"]) };
  const operation = fc.record({
    device: fc.nat(4),
    route: fc.constantFrom("a", "b"),
    text: fc.string({ unit: "grapheme", maxLength: 30 }),
    release: fc.boolean(),
  });
  fc.assert(fc.property(fc.array(operation), (operations) => {
    const room = new CodeStateRoom(options);
    const states = new Map<number, CodeStates>();
    const model = new Map<number, Map<string, string>>();
    const bytesOf = (texts: Iterable<string> = []) =>
      Array.from(texts, size).reduce((sum, bytes) => sum + bytes, 0);
    const sum = () => bytesOf([...model.values()].flatMap((kept) => [...kept.values()]));
    for (const { device, route, text, release } of operations) {
      if (release) {
        states.get(device)?.release();
        states.delete(device);
        model.delete(device);
      } else {
        const one = states.get(device) ?? new CodeStates(room);
        states.set(device, one);
        const kept = model.get(device) ?? new Map<string, string>();
        const growth = size(text) - size(kept.get(route) ?? "");
        const expected = growth > 0 && bytesOf(kept.values()) + growth > 40
          ? "too_large"
          : growth > 0 && sum() + growth > 100
          ? "no_room"
          : undefined;
        assert.equal(one.keep(route, text)?.reason, expected);
        if (expected === undefined) model.set(device, kept.set(route, text));
        assert.equal(one.get(route), kept.get(route));
      }
      assert.equal(room.bytes, sum());
      assert.ok(room.bytes <= 100);
    }
  }));
});

Deno.test("what a route that is gone has kept makes room, and what was kept before is always taken", () => {
  const room = new CodeStateRoom({ deviceBytesMax: 10, bytesMax: 10, routes: new Set(["now"]) });
  const states = new CodeStates(room);
  states.restore("gone", '"0123456789"');
  assert.equal(room.bytes, 12);
  assert.equal(states.keep("now", '"01234567"'), undefined);
  assert.deepEqual([...states.entries()], [["now", '"01234567"']]);
  assert.equal(room.bytes, 10);
});

Deno.test("what is refused is counted by its reason and told", () => {
  const told: [string, string, CodeStateError][] = [];
  const room = new CodeStateRoom({
    deviceBytesMax: 1,
    bytesMax: 10,
    routes: new Set(),
    onRefused: (...refused) => told.push(refused),
  });
  const refusal = new CodeStates(room).keep("a", "12");
  assert.ok(refusal);
  room.refuse("device", "a", refusal);
  assert.deepEqual(told, [["device", "a", refusal]]);
  assert.equal(room.counters()['sluice_device_code_states_refused_total{reason="too_large"}'], 1);
});
