import assert from "node:assert/strict";
import fc from "fast-check";
import { InFlight, packetIdOf } from "./in_flight.ts";

Deno.test("in flight: identifiers find their message, in any order of acknowledgement", () => {
  const steps = fc.array(fc.tuple(fc.boolean(), fc.nat()), { maxLength: 300 });
  const start = fc.constantFrom(0, 65_530, 131_068);
  fc.assert(fc.property(fc.integer({ min: 1, max: 9 }), start, steps, (window, first, list) => {
    const inFlight = new InFlight(window);
    inFlight.first = inFlight.next = first; // As after that many messages.
    const open = new Set<number>();
    for (const [send, choice] of list) {
      if (send && inFlight.count < window) {
        const k = inFlight.send(inFlight.next * 2, inFlight.next * 3);
        open.add(k);
        assert.equal(inFlight.dueMs(k), k * 2);
        assert.equal(inFlight.sentMs(k), k * 3);
      } else if (open.size > 0) {
        const k = [...open][choice % open.size]!;
        assert.equal(inFlight.find(packetIdOf(k)), k);
        inFlight.close(k);
        open.delete(k);
        assert.equal(inFlight.find(packetIdOf(k)), -1);
      }
      assert.equal(inFlight.first, open.size === 0 ? inFlight.next : Math.min(...open));
      assert.ok(inFlight.count <= window);
    }
  }));
});

Deno.test("in flight: identifiers are never 0 and those in flight differ", () => {
  const inFlight = new InFlight(65_535);
  const ids = new Set<number>();
  for (let i = 0; i < 65_535; i++) ids.add(packetIdOf(inFlight.send(0, 0)));
  assert.equal(ids.size, 65_535);
  assert.ok(!ids.has(0));
  assert.equal(inFlight.find(65_535), 65_534);
});

Deno.test("in flight: a QoS 2 message is released once", () => {
  const inFlight = new InFlight(4);
  const k = inFlight.send(0, 0);
  assert.equal(inFlight.isReleased(k), false);
  assert.equal(inFlight.release(k), true);
  assert.equal(inFlight.release(k), false);
  assert.equal(inFlight.isReleased(k), true);
  inFlight.close(k);
  assert.equal(inFlight.isClosed(k), true);
  assert.equal(inFlight.count, 0);
});

Deno.test("in flight: the window is what MQTT allows", () => {
  for (const window of [0, 65_536, NaN]) {
    assert.throws(() => new InFlight(window), RangeError);
  }
});
