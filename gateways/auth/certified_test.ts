import assert from "node:assert/strict";
import { ManualClock } from "../../runtime/clock.ts";
import { Certified, passFor } from "./certified.ts";
import { permissionsOf } from "./permissions.ts";
import { TokenGate } from "./token_gate.ts";

const permissions = permissionsOf({
  name: "A",
  roles: ["device"],
  read: [],
  write: [],
  devices: [],
});
const certificate = { name: "A", issuer: "CN=ca", serial: "01", expiresMs: 0 };

function certified() {
  const clock = new ManualClock();
  const gate = new TokenGate();
  const asked: string[] = [];
  const it = {
    version: 1,
    kind: "granted" as "granted" | "wrong" | "busy" | "away",
    revoked: false,
  };
  const clients = new Certified({
    gate,
    clock,
    isRevoked: () => it.revoked,
    ask: ({ name, proof }) => {
      asked.push(`${name} ${proof}`);
      const { kind, version } = it;
      if (kind === "away") return Promise.reject(new Error("away"));
      return Promise.resolve(kind === "granted" ? { kind, version, permissions } : { kind });
    },
  });
  const shown = { ...certificate, expiresMs: clock.now() + 100_000 };
  return { clock, gate, asked, it, clients, shown };
}

Deno.test("an account is asked for once a connection, and again when it has changed", async () => {
  const { gate, asked, it, clients, shown } = certified();
  const claims = await clients.claimsOf(shown, "10.0.0.1");
  assert.ok(typeof claims === "object");
  assert.deepEqual([claims.name, claims.version], ["A", 1]);
  assert.equal(await clients.claimsOf(shown, "10.0.0.1"), claims);
  assert.deepEqual(asked, ["A certificate"]);
  gate.change([{ name: "A", version: 2 }]);
  assert.equal(clients.isCurrent(claims), false);
  it.version = 2;
  const changed = await clients.claimsOf(shown, "10.0.0.1");
  assert.ok(typeof changed === "object");
  assert.equal(changed.version, 2);
  gate.change([{ name: "A", version: 3 }]);
  it.kind = "wrong";
  assert.equal(await clients.claimsOf(shown, "10.0.0.1"), "wrong");
});

Deno.test("nobody is let in by a certificate that has ended, nor while the accounts are away", async () => {
  const { clock, it, clients, shown } = certified();
  const claims = await clients.claimsOf(shown, "10.0.0.1");
  assert.ok(typeof claims === "object");
  assert.equal(claims.expiresS, Math.floor(shown.expiresMs / 1_000));
  it.revoked = true;
  assert.equal(await clients.claimsOf(shown, "10.0.0.1"), "revoked");
  assert.equal(clients.isCurrent(claims), false);
  it.revoked = false;
  for (const kind of ["busy", "away"] as const) {
    it.kind = kind;
    assert.equal(await clients.claimsOf({ ...shown }, "10.0.0.1"), "unavailable");
  }
  it.kind = "granted";
  clock.advance(100_000);
  assert.equal(await clients.claimsOf(shown, "10.0.0.1"), "expired");
});

Deno.test("a refusal is not asked for again for a while, then it is", async () => {
  const { clock, asked, it, clients, shown } = certified();
  it.kind = "wrong";
  const claimsOf = () => clients.claimsOf(shown, "10.0.0.1");
  assert.deepEqual(await Promise.all([claimsOf(), claimsOf()]), ["wrong", "wrong"]);
  clock.advance(999);
  assert.equal(await claimsOf(), "wrong");
  assert.equal(asked.length, 1);
  it.kind = "granted";
  clock.advance(1);
  const [one, other] = await Promise.all([claimsOf(), claimsOf()]);
  assert.ok(typeof one === "object");
  assert.equal(one, other);
  assert.equal(asked.length, 2);
});

Deno.test("a token's claims end with the certificate that came with it", () => {
  const { it, clients, shown } = certified();
  const claims = { name: "A", version: 1, issuedS: 1, expiresS: 9_000_000_000, permissions };
  const bound = clients.bind(claims, shown);
  assert.equal(bound.expiresS, Math.floor(shown.expiresMs / 1_000));
  assert.equal(clients.isCurrent(bound), true);
  it.revoked = true;
  assert.equal(clients.isCurrent(bound), false);
  assert.equal(clients.isCurrent(claims), true, "shown without it, the token is what it was");
});

Deno.test("what is passed on has a token of the same account, for a while", async () => {
  const gate = new TokenGate();
  gate.setKeys([{ kid: "k", secret: crypto.getRandomValues(new Uint8Array(32)) }]);
  gate.setOpen();
  const nowMs = 1_700_000_000_000;
  const claims = { name: "A", version: 7, issuedS: 1, expiresS: 2_000_000_000, permissions };
  const pass = await passFor(claims, gate.keys, nowMs);
  const admitted = await gate.admit(pass, nowMs + 1_000);
  assert.ok(typeof admitted === "object");
  assert.deepEqual([admitted.name, admitted.version, admitted.permissions], ["A", 7, permissions]);
  assert.equal(await gate.admit(pass, nowMs + 120_000), "expired");
});
