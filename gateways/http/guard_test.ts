import assert from "node:assert/strict";
import { ManualClock } from "../../runtime/clock.ts";
import { Certified } from "../auth/certified.ts";
import { permissionsOf } from "../auth/permissions.ts";
import { type Claims, signToken } from "../auth/token.ts";
import { TokenGate } from "../auth/token_gate.ts";
import { Callers } from "./callers.ts";
import { guarded } from "./guard.ts";

const permissions = permissionsOf({
  name: "A",
  roles: ["reader"],
  read: [],
  write: [],
  devices: [],
});

/** Asks for what a reader may see, over a connection that came with A's certificate. */
async function guard(required: boolean) {
  const clock = new ManualClock();
  const gate = new TokenGate();
  const keys = [{ kid: "k", secret: crypto.getRandomValues(new Uint8Array(32)) }];
  gate.setKeys(keys);
  gate.setOpen();
  const it = { revoked: false, seen: undefined as Claims | undefined };
  const certified = new Certified({
    gate,
    clock,
    isRevoked: () => it.revoked,
    ask: () => Promise.resolve({ kind: "granted", version: 1, permissions }),
  });
  const nowS = Math.floor(clock.now() / 1_000);
  const expiresS = nowS + 600;
  const claims = { name: "A", version: 1, issuedS: nowS, expiresS, permissions };
  const token = await signToken(claims, keys);
  const certificate = {
    name: "A",
    issuer: "CN=ca",
    serial: "01",
    expiresMs: clock.now() + 60_000,
  };
  const callers = new Callers();
  const handle = guarded({
    handle: (request) => {
      it.seen = callers.of(request).claims;
      return Promise.resolve(new Response("seen"));
    },
    callers,
    gate,
    clock,
    certified,
    required,
  });
  const ask = async (withToken: boolean, path = "/api/devices") => {
    const request = new Request(`http://sluice.example${path}`, {
      headers: withToken ? { authorization: `Bearer ${token}` } : {},
    });
    const response = await handle(request, { peer: "10.0.0.1", certificate });
    return [response.status, await response.text()] as const;
  };
  return { it, clock, certified, ask };
}

Deno.test("a certificate that was revoked or has expired lets nobody on, token or not", async () => {
  for (const required of [true, false]) {
    for (const withToken of [true, false]) {
      const { it, clock, ask } = await guard(required);
      assert.equal((await ask(withToken))[0], 200);
      it.revoked = true;
      for (const path of ["/api/devices", "/ws"]) {
        const [status, text] = await ask(withToken, path);
        assert.equal(status, 401);
        assert.match(text, /the certificate was revoked/);
      }
      it.revoked = false;
      clock.advance(60_000);
      const [status, text] = await ask(withToken);
      assert.equal(status, 401);
      assert.match(text, /the certificate has expired/);
    }
  }
});

Deno.test("what a token lets see ends when the certificate that came with it is revoked", async () => {
  const { it, certified, ask } = await guard(true);
  await ask(true);
  assert.ok(it.seen !== undefined);
  assert.equal(certified.isCurrent(it.seen), true);
  it.revoked = true;
  assert.equal(certified.isCurrent(it.seen), false);
});
