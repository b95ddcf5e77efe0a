import assert from "node:assert/strict";
import { ManualClock } from "../../../runtime/clock.ts";
import { Problem } from "../../http/problem.ts";
import { BufferBudget } from "../endpoint/read_buffer.ts";
import { Carriers } from "./carriers.ts";

const upgrade = () =>
  new Request("http://sluice.example/mqtt", {
    headers: {
      upgrade: "websocket",
      connection: "Upgrade",
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
      "sec-websocket-protocol": "mqtt",
    },
  });

Deno.test("a certificate too long to tell a shard is refused, and takes nobody's place", async () => {
  let dialed = 0;
  const carriers = new Carriers({
    socket: { clock: new ManualClock(), budget: new BufferBudget(1 << 20), idleMs: 1_000 },
    shards: 1,
    dial: () => {
      dialed++;
      return Promise.reject(new Error("away"));
    },
  });
  const certificate = { name: "n".repeat(70_000), issuer: "CN=ca", serial: "01", expiresMs: 0 };
  const refused = async (shown: typeof certificate | undefined) => {
    const caller = { peer: "10.0.0.1", certificate: shown, takeOver: () => undefined };
    const error = await carriers.upgrade(upgrade(), caller).catch((cause: unknown) => cause);
    assert.ok(error instanceof Problem);
    return error.message;
  };
  // More of them than there are places.
  for (let i = 0; i < 5_000; i++) {
    assert.match(await refused(certificate), /certificate are too long/);
  }
  assert.equal(dialed, 0);
  assert.match(await refused(undefined), /no more connections/);
  assert.equal(dialed, 1, "there was a place");
});
