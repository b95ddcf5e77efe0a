import assert from "node:assert/strict";
import { ConnectionGate, type ConnectionSpecs, gateBytes, gateMemory } from "./connection_gate.ts";

const open: ConnectionSpecs = {
  rate: undefined,
  ratePerAddress: undefined,
  perAddressMax: undefined,
};

function workers(specs: Partial<ConnectionSpecs>, time = { ms: 1_000 }) {
  const all = { ...open, ...specs };
  const memory = gateMemory(all, 2, 7);
  const gate = (worker: number) =>
    new ConnectionGate({ memory, specs: all, worker, sharedMs: () => time.ms });
  return { time, gate, a: gate(0), b: gate(1) };
}

Deno.test("without limits everybody is let in, and nothing is kept", () => {
  const { a } = workers({});
  for (let i = 0; i < 1_000; i++) assert.equal(a.enter("10.0.0.1"), undefined);
  assert.equal(gateBytes(open, 9), 0);
});

Deno.test("an address has so many connections over all Workers, and one more when one has left", () => {
  const { a, b, gate } = workers({ perAddressMax: 3 });
  assert.equal(a.enter("10.0.0.1"), undefined);
  assert.equal(a.enter("10.0.0.1"), undefined);
  assert.equal(b.enter("10.0.0.1"), undefined);
  assert.equal(b.enter("10.0.0.1"), "address_max");
  assert.equal(b.enter("10.0.0.2"), undefined);
  a.left("10.0.0.1");
  assert.equal(b.enter("10.0.0.1"), undefined);
  assert.equal(b.refused.address_max, 1);
  // A Worker that is lost takes its connections with it.
  const successor = gate(1);
  assert.equal(successor.enter("10.0.0.1"), undefined);
  assert.equal(successor.enter("10.0.0.1"), undefined);
  assert.equal(successor.enter("10.0.0.1"), "address_max");
});

Deno.test("an address and all together connect at their rates", () => {
  const { time, a, b } = workers({ rate: "5:1", ratePerAddress: "3:1" });
  for (let i = 0; i < 3; i++) assert.equal(a.enter("10.0.0.1"), undefined);
  assert.equal(b.enter("10.0.0.1"), "address_rate");
  assert.equal(b.enter("10.0.0.2"), undefined);
  assert.equal(b.enter("10.0.0.2"), undefined);
  assert.equal(b.enter("10.0.0.2"), "rate");
  time.ms += 1_000;
  for (let i = 0; i < 3; i++) assert.equal(b.enter("10.0.0.2"), undefined, "was not spent");
});
