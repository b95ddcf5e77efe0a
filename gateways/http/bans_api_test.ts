import assert from "node:assert/strict";
import { BanList } from "../../actors/rates/ban_list.ts";
import { bansMemory } from "../../actors/rates/bans.ts";
import { ManualClock } from "../../runtime/clock.ts";
import type { Role } from "../auth/account.ts";
import { signToken } from "../auth/token.ts";
import { TokenGate } from "../auth/token_gate.ts";
import { httpApp } from "./app.ts";
import { fakeControl } from "./testing/fake_control.ts";
import { silentLog } from "../log/testing/silent_log.ts";

const key = { kid: "k", secret: new Uint8Array(32).fill(7) };
const specs = { client: undefined, account: undefined, address: undefined, banMs: 1_000 };

async function edge() {
  const clock = new ManualClock();
  const gate = new TokenGate();
  gate.setKeys([key]);
  gate.setOpen();
  const bans = new BanList({
    memory: bansMemory(specs, 7),
    now: () => clock.now(),
    changed() {},
    forgotten() {},
  });
  const app = httpApp(fakeControl(), {
    clock,
    log: silentLog,
    bans: { bans, gate },
  });
  const tokenOf = (role: Role) => {
    const permissions = { roles: [role], read: [], write: [], devices: [] };
    const issuedS = Math.floor(clock.now() / 1_000);
    const claims = { name: role, version: 1, permissions, issuedS, expiresS: issuedS + 600 };
    return signToken(claims, [key]);
  };
  const [admin, operator] = [await tokenOf("admin"), await tokenOf("operator")];
  const ask = async (method: string, path: string, body?: unknown, token = admin) => {
    const answer = await app(
      new Request(`http://127.0.0.1${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    );
    const text = await answer.text();
    return { status: answer.status, body: text === "" ? {} : JSON.parse(text) };
  };
  return { clock, ask, operator };
}

Deno.test("a ban is made, listed in pages and lifted", async () => {
  const { ask } = await edge();
  const { status, body } = await ask("POST", "/api/bans", {
    address: "2001:db8::1",
    forS: 60,
    reason: "scans",
  });
  assert.equal(status, 201);
  const { since, until, ...ban } = body;
  assert.deepEqual(ban, {
    key: "address:2001:db8:0:0::/64",
    subject: "address",
    reason: "scans",
    by: "admin",
  });
  assert.equal(Date.parse(until) - Date.parse(since), 60_000);
  await ask("POST", "/api/bans", { account: "a/b", client: "c d", forS: 60 });
  await ask("POST", "/api/bans", { account: "a/b", forS: 60 });
  const first = await ask("GET", "/api/bans?limit=2");
  assert.deepEqual(first.body.items.map((one: { key: string }) => one.key), [
    "account:a/b",
    "address:2001:db8:0:0::/64",
  ]);
  const second = await ask("GET", `/api/bans?limit=2&cursor=${first.body.next}`);
  assert.deepEqual(second.body.items.map((one: { key: string }) => one.key), ["client:a/b:c d"]);
  for (const path of ["account:a/b", "address:2001:db8:0:0::%2F64", "client:a%2Fb:c%20d"]) {
    assert.equal((await ask("DELETE", `/api/bans/${path}`)).status, 204, path);
    assert.equal((await ask("DELETE", `/api/bans/${path}`)).status, 404, path);
  }
  assert.deepEqual((await ask("GET", "/api/bans")).body, { items: [] });
});

Deno.test("only an admin may, and what names nobody or no time is refused", async () => {
  const { ask, operator } = await edge();
  const ban = { address: "10.0.0.1", forS: 1 };
  for (const [method, path] of [["GET", ""], ["POST", ""], ["DELETE", "/address:10.0.0.1"]]) {
    const body = method === "POST" ? ban : undefined;
    assert.equal((await ask(method!, `/api/bans${path}`, body, operator)).status, 403);
  }
  const wrong: readonly (readonly [unknown, RegExp])[] = [
    [[], /must be an object/],
    [{ forS: 1 }, /who is to be banned/],
    [{ ...ban, account: "x" }, /whoever connects from it/],
    [{ ...ban, forS: 0 }, /forS must be an integer from 1/],
    [{ ...ban, forS: "60" }, /forS must be/],
    [{ ...ban, address: "" }, /address must be a text/],
    [{ ...ban, until: 1 }, /unknown key "until"/],
    [{ account: 1, forS: 1 }, /account must be a text/],
  ];
  for (const [body, why] of wrong) {
    const answer = await ask("POST", "/api/bans", body);
    assert.equal(answer.status, 400);
    assert.match(answer.body.detail, why);
  }
});
