import assert from "node:assert/strict";
import { endpointsFor, reachedAt } from "./endpoints.ts";

const idle = (url: string) => ({ url, load: 0 });
const names = Array.from({ length: 3_000 }, (_, i) => `station ${i}`);

Deno.test("a new instance gets its share, and no other station moves", () => {
  const three = ["a", "b", "c"].map(idle);
  const four = [...three, idle("d")];
  let moved = 0;
  for (const name of names) {
    const [before] = endpointsFor(name, three);
    const [after] = endpointsFor(name, four.toReversed());
    if (before === after) continue;
    assert.equal(after, "d");
    moved++;
  }
  assert.ok(moved > 650 && moved < 850, `${moved} of 3000 moved; 750 are its share`);
});

Deno.test("a full instance is asked last; all are named", () => {
  const instances = [{ url: "a", load: 0.9 }, idle("b"), idle("c")];
  for (const name of names.slice(0, 100)) {
    const urls = endpointsFor(name, instances);
    assert.equal(urls.at(-1), "a");
    assert.deepEqual(urls.toSorted(), ["a", "b", "c"]);
  }
  assert.deepEqual(endpointsFor("x", []), []);
});

Deno.test("all addresses of a machine are reached by the one that was asked, others as they are", () => {
  const cases = [
    ["mqtts://0.0.0.0:8883", "sluice.example", "mqtts://sluice.example:8883"],
    ["wss://[::]:443/ws", "[2001:db8::1]", "wss://[2001:db8::1]:443/ws"],
    ["mqtt://0.0.0.0", "$1", "mqtt://$1"],
    ["mqtt://[::]:1883", "10.1.2.3", "mqtt://10.1.2.3:1883"],
    ["mqtt://0.0.0.0:1883", "[::1]", "mqtt://0.0.0.0:1883"], // Nobody listens there.
    ["mqtt://[::]:1883", "0.0.0.0", "mqtt://[::]:1883"],
    ["mqtt://10.0.0.0:1883", "h", "mqtt://10.0.0.0:1883"],
    ["mqtt://0.0.0.0.example:1883", "h", "mqtt://0.0.0.0.example:1883"],
    ["mqtt://[::1]:1883", "h", "mqtt://[::1]:1883"],
  ] as const;
  for (const [url, hostname, reached] of cases) assert.equal(reachedAt(url, hostname), reached);
});
