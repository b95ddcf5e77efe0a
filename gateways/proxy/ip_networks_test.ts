import assert from "node:assert/strict";
import { IpNetworks, parseIpNetwork } from "./ip_networks.ts";

Deno.test("addresses and networks, and what is neither", () => {
  for (
    const text of ["", "10", "10.0.0.0/", "10.0.0.0/33", "::/129", "fe80::1%eth0", "a.example"]
  ) {
    assert.equal(parseIpNetwork(text), undefined, text);
  }
  const networks = new IpNetworks(["10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "::1"]);
  const inside = ["10.1.2.3", "192.0.2.7", "::ffff:10.1.2.3", "2001:db8:1::5", "::1"];
  const outside = ["11.1.2.3", "192.0.2.8", "::ffff:11.1.2.3", "2001:db9::1", "::2", ""];
  assert.deepEqual(inside.filter((address) => !networks.has(address)), []);
  assert.deepEqual(outside.filter((address) => networks.has(address)), []);
  assert.throws(() => new IpNetworks(["nowhere"]), /nowhere/);
});
