import assert from "node:assert/strict";
import { systemClock } from "../../../runtime/clock.ts";
import { memoryPubSub } from "../pubsub/testing/memory_pubsub.ts";
import type { Arrival } from "./arrival.ts";
import type { Credentials, EndpointServices } from "./endpoint_options.ts";
import { EndpointStats } from "./endpoint_stats.ts";
import { shakeHands } from "./handshake.ts";
import { connectOf, FakeIntake, MemoryConnection, testLimits } from "./testing.ts";

const certificate = { name: "UPB/A", issuer: "CN=ours", serial: "07", expiresMs: 5_000 };

Deno.test("a session ends with its token or its certificate, whichever is first", () => {
  const asked: Credentials[] = [];
  for (const [tokenMs, endsMs] of [[undefined, 5_000], [4_000, 4_000], [6_000, 5_000]] as const) {
    const services: EndpointServices = {
      intake: new FakeIntake(),
      limits: testLimits,
      authenticate: (credentials) => {
        asked.push(credentials);
        const account = { kind: "granted", account: "UPB/A" } as const;
        return tokenMs === undefined ? account : { ...account, expiresMs: tokenMs };
      },
      messages: memoryPubSub(systemClock).pubsub,
      stats: new EndpointStats(),
      events: {},
    };
    const connection = new MemoryConnection();
    const arrival: Arrival = { connection, peer: "10.0.0.1:5", transport: "mqtt", certificate };
    const handshake = shakeHands(connectOf({}), arrival, services);
    assert.ok(!(handshake instanceof Promise) && handshake.kind === "connected");
    assert.equal(handshake.session.expiresMs, endsMs);
    assert.equal(handshake.session.certificate, certificate);
  }
  assert.ok(asked.every(({ certifiedName }) => certifiedName === "UPB/A"));
});
