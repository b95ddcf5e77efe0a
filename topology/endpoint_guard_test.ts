import assert from "node:assert/strict";
import type { BanClient } from "../actors/rates/ban.ts";
import type { GateReason } from "../actors/rates/connection_gate.ts";
import { reasonCodes } from "../gateways/mqtt/codec/reason_code.ts";
import { bansOf, doorOf } from "./endpoint_guard.ts";

/** A guard that turns away for `reason`, and has banned until `untilMs`; 0: nobody. */
function fakeGuard(
  { reason, untilMs = 0, limitsConnections = true, bansVersion = 7, countsEnds = true }: {
    reason?: GateReason;
    untilMs?: number;
    limitsConnections?: boolean;
    bansVersion?: number;
    countsEnds?: boolean;
  },
) {
  const asked: (string | BanClient)[] = [];
  return {
    asked,
    limitsConnections,
    bansVersion,
    countsEnds,
    enter: (address: string) => {
      asked.push(address);
      return reason;
    },
    left: (address: string) => void asked.push(address),
    banned: (client: BanClient) => {
      asked.push(client);
      return untilMs;
    },
    bannedUntilMs: (client: BanClient) => {
      asked.push(client);
      return untilMs;
    },
    ended: (client: BanClient) => void asked.push(client),
  };
}

const session = { account: "A", clientId: "c", peer: "[::1]:4711", version: 5 } as const;
const client: BanClient = { account: "A", clientId: "c", address: "[::1]" };

Deno.test("who is let in at the door is told nothing, others why not, by address", () => {
  const guard = fakeGuard({});
  assert.equal(doorOf(guard)?.enter("10.0.0.1:4711"), undefined);
  doorOf(guard)?.left("10.0.0.1:4711");
  assert.deepEqual(guard.asked, ["10.0.0.1", "10.0.0.1"]);
  const codes: Readonly<Record<GateReason, number>> = {
    rate: reasonCodes.connectionRateExceeded,
    address_rate: reasonCodes.connectionRateExceeded,
    address_max: reasonCodes.quotaExceeded,
  };
  for (const reason of ["rate", "address_rate", "address_max"] as const) {
    const answer = doorOf(fakeGuard({ reason }))?.enter("10.0.0.1:4711");
    assert.equal(answer?.reasonCode, codes[reason], reason);
    assert.notEqual(answer?.reason, "", reason);
  }
});

Deno.test("a ban is told with its end, by what the client is", () => {
  const guard = fakeGuard({ untilMs: Date.UTC(2026, 0, 2, 3, 4, 5) });
  const bans = bansOf(guard);
  const reason = "banned until 2026-01-02T03:04:05.000Z";
  assert.deepEqual(bans.of(session), { reasonCode: reasonCodes.banned, reason });
  assert.equal(bans.now(session), reason);
  bans.ended(session);
  assert.deepEqual(guard.asked, [client, client, client]);
  assert.equal(bans.version, 7);
});

Deno.test("without limits there is no door, and without a ban nobody is looked up", () => {
  assert.equal(doorOf(fakeGuard({ limitsConnections: false })), undefined);
  const guard = fakeGuard({ bansVersion: 0, untilMs: 1, countsEnds: false });
  const bans = bansOf(guard);
  assert.equal(bans.of(session), undefined);
  assert.equal(bans.now(session), undefined);
  bans.ended(session);
  assert.deepEqual(guard.asked, []);
});

Deno.test("who is not banned is told nothing", () => {
  const bans = bansOf(fakeGuard({}));
  assert.equal(bans.of(session), undefined);
  assert.equal(bans.now(session), undefined);
});
