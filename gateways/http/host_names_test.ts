import assert from "node:assert/strict";
import { hostNames } from "./host_names.ts";

Deno.test("addresses, this machine's own name and those that were given are known", () => {
  const isKnown = hostNames(["Sluice.example"]);
  for (
    const host of [
      null,
      "127.0.0.1",
      "127.0.0.1:8080",
      "192.168.1.7:80",
      "[::1]:8080",
      "[::1]",
      "localhost",
      "LOCALHOST:8080",
      "localhost.:8080",
      "a.localhost:8080",
      "sluice.example",
      "SLUICE.EXAMPLE:443",
    ]
  ) assert.ok(isKnown(host), String(host));
  for (
    const host of [
      "",
      "rebound.example:8080",
      "localhost.example",
      "127.0.0.1.example",
      "example.sluice.example",
      "1.2.3",
      "notlocalhost",
    ]
  ) assert.ok(!isKnown(host), host);
  assert.ok(!hostNames([])("sluice.example"));
});
