import assert from "node:assert/strict";
import { ManualClock } from "../../runtime/clock.ts";
import { Certified } from "../auth/certified.ts";
import type { Role } from "../auth/account.ts";
import { permissionsOf } from "../auth/permissions.ts";
import { type Claims, signToken } from "../auth/token.ts";
import { TokenGate } from "../auth/token_gate.ts";
import { Callers } from "./callers.ts";
import { guarded } from "./guard.ts";

const permissionsAs = (roles: readonly Role[]) =>
  permissionsOf({ name: "A", roles, read: [], write: [], devices: [] });

/** Asks for what a reader may see, over a connection that came with A's certificate. */
async function guard(required: boolean, roles: readonly Role[] = ["reader"]) {
  const clock = new ManualClock();
  const gate = new TokenGate();
  const keys = [{ kid: "k", secret: crypto.getRandomValues(new Uint8Array(32)) }];
  gate.setKeys(keys);
  gate.setOpen();
  const permissions = permissionsAs(roles);
  const it = { revoked: false, seen: undefined as Claims | undefined, banned: "", refused: 0 };
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
    bannedUntilMs: ({ account, address }, comes) => {
      if (it.banned === "" || (account !== it.banned && address !== it.banned)) return 0;
      if (comes) it.refused++;
      return clock.now() + 1_500;
    },
  });
  const answer = (withToken: boolean, path: string, method = "GET") => {
    const request = new Request(`http://sluice.example${path}`, {
      method,
      headers: withToken ? { authorization: `Bearer ${token}` } : {},
    });
    return handle(request, { peer: "10.0.0.1", certificate });
  };
  const ask = async (withToken: boolean, path = "/api/devices") => {
    const response = await answer(withToken, path);
    return [response.status, await response.text()] as const;
  };
  return { it, clock, certified, ask, answer };
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

Deno.test("who is banned by address is refused whatever it asks for, but for the probes", async () => {
  for (const required of [true, false]) {
    const { it, clock, answer } = await guard(required, ["reader"]);
    it.banned = "10.0.0.1";
    const refused = ["/", "/metrics", "/login", "/ws", "/mqtt", "/api/bans", "/api/devices", "/no"];
    for (const path of refused) {
      const { status, headers, body } = await answer(true, path);
      assert.equal(status, 403, path);
      assert.equal(headers.get("retry-after"), "2");
      assert.equal(headers.get("connection"), "close");
      const problem = await new Response(body).json();
      assert.deepEqual([problem.type, problem.until], [
        "urn:sluice:problem:banned",
        new Date(clock.now() + 1_500).toISOString(),
      ]);
    }
    assert.equal(it.refused, refused.length);
    for (const path of ["/healthz", "/readyz"]) {
      assert.equal((await answer(false, path)).status, 200);
    }
    it.banned = "10.0.0.2";
    assert.equal((await answer(true, "/api/devices")).status, 200);
    assert.equal(it.refused, refused.length);
  }
});

Deno.test("an admin lifts bans from a banned address, with a token that is good", async () => {
  for (const required of [true, false]) {
    const { it, clock, answer } = await guard(required, ["admin"]);
    it.banned = "10.0.0.1";
    for (const method of ["GET", "POST", "DELETE"]) {
      const path = method === "DELETE" ? "/api/bans/address:10.0.0.1" : "/api/bans";
      assert.equal((await answer(true, path, method)).status, 200, method);
    }
    assert.equal(it.refused, 0);
    for (const path of ["/", "/login", "/api/devices", "/api/accounts"]) {
      assert.equal((await answer(true, path)).status, 403, path);
    }
    it.revoked = required;
    if (!required) clock.advance(700_000); // The token has expired.
    const { status, body } = await answer(true, "/api/bans");
    assert.equal(status, 403);
    assert.match(await new Response(body).text(), /problem:banned/);
  }
});

Deno.test("a banned account is refused whatever it asks for, but an admin who would lift bans", async () => {
  for (const roles of [["reader"], ["admin"]] as const) {
    const { it, answer } = await guard(true, roles);
    it.banned = "A";
    assert.equal((await answer(true, "/api/devices")).status, 403);
    assert.equal(it.refused, 1);
    const isAdmin = roles[0] === "admin";
    for (const method of ["GET", "POST", "DELETE"]) {
      const path = method === "DELETE" ? "/api/bans/account:A" : "/api/bans";
      assert.equal((await answer(true, path, method)).status, isAdmin ? 200 : 403, method);
    }
    assert.equal(it.refused, isAdmin ? 1 : 4);
  }
});
