import assert from "node:assert/strict";
import { KnownNetworks, networksMax } from "./known_networks.ts";

Deno.test("a network is known for the account that logged in from it, and for no other", () => {
  const known = new KnownNetworks(100);
  known.add("a", "10.0.0.1");
  known.add("a", "10.0.0.1");
  assert.ok(known.has("a", "10.0.0.1"));
  assert.ok(!known.has("a", "10.0.0.2"));
  assert.ok(!known.has("b", "10.0.0.1"));
  assert.equal(known.size, 1);
});

Deno.test("an account that logs in from everywhere forgets its own, the longest unused first", () => {
  const known = new KnownNetworks(100);
  known.add("b", "10.0.0.1");
  for (let i = 0; i < networksMax; i++) known.add("a", `${i}`);
  known.add("a", "0");
  for (let i = networksMax; i < 2 * networksMax - 1; i++) known.add("a", `${i}`);
  assert.ok(known.has("a", "0"));
  assert.ok(!known.has("a", "1"));
  assert.ok(known.has("b", "10.0.0.1"));
  assert.equal(known.size, networksMax + 1);
});

Deno.test("of too many accounts the one not seen for longest is forgotten", () => {
  const known = new KnownNetworks(3);
  for (const name of ["a", "b", "c", "a", "d"]) known.add(name, "10.0.0.1");
  assert.deepEqual(["a", "b", "c", "d"].map((name) => known.has(name, "10.0.0.1")), [
    true,
    false,
    true,
    true,
  ]);
  assert.equal(known.size, 3);
});
