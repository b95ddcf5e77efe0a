import assert from "node:assert/strict";
import { claimAddress, ListenError } from "./ports.ts";

Deno.test("port 0 becomes a free port, and empty stays off", () => {
  assert.equal(claimAddress("", "mqtt.listen"), undefined);
  const claimed = claimAddress("127.0.0.1:0", "mqtt.listen");
  assert.ok(claimed !== undefined && claimed.port > 0);
});

Deno.test("a port that others share by SO_REUSEPORT is in use all the same", () => {
  const other = Deno.listen({ hostname: "127.0.0.1", port: 0, reusePort: true });
  assert.throws(
    () => claimAddress(`127.0.0.1:${other.addr.port}`, "mqtt.listen"),
    (error) => error instanceof ListenError && /port is in use.*mqtt\.listen/.test(error.message),
  );
  other.close();
});
