import assert from "node:assert/strict";
import { quickAccounts } from "../auth/testing/quick_accounts.ts";
import { type Claims, signToken } from "../auth/token.ts";
import { TokenGate } from "../auth/token_gate.ts";
import { silentLog } from "../log/testing/silent_log.ts";
import { httpApp, type HttpHandler } from "./app.ts";
import { Callers } from "./callers.ts";
import { guarded } from "./guard.ts";
import { fakeControl } from "./testing/fake_control.ts";

const base = "http://127.0.0.1:8080";

interface Edge {
  readonly ask: (path: string, init?: RequestInit & { token?: string }) => Promise<Response>;
  readonly post: (path: string, body: unknown, token?: string) => Promise<Response>;
  readonly admin: string;
  readonly device: string;
  readonly callers: Callers;
  /** What `changed` was called for. */
  readonly changes: () => number;
  /** The fields of what the log was told. */
  readonly logged: readonly unknown[];
}

/** The app behind the guard, with an admin and a device that have logged in. */
async function withEdge(check: (edge: Edge) => Promise<void>, required = true): Promise<void> {
  await using it = await quickAccounts();
  const gate = new TokenGate();
  gate.setKeys(it.keys);
  gate.setOpen();
  let changes = 0;
  let sequence = 0;
  const logged: unknown[] = [];
  const app = httpApp(fakeControl(), {
    clock: it.clock,
    log: { ...silentLog, info: (_, fields) => void logged.push(fields) },
    accounts: {
      accounts: it.accounts,
      logins: it.logins,
      gate,
      changed: async () => {
        changes++;
        const news = await it.store.changesAfter(sequence);
        sequence = news.sequence;
        gate.change(news.changed);
      },
    },
  });
  const callers = new Callers();
  const handle: HttpHandler = guarded({ handle: app, callers, gate, clock: it.clock, required });
  const token = async (name: string, password: string) => {
    const answer = await it.logins.login(name, password, "10.0.0.1");
    assert.ok(answer.kind === "granted");
    return answer.token;
  };
  const admin = (await it.accounts.ensureAdmin())?.password ?? "";
  const device = await it.accounts.add({ name: "UPB/A", kind: "device" }, "system");
  const ask: Edge["ask"] = (path, { token, ...init } = {}) => {
    const headers = new Headers(init.headers);
    if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
    return handle(new Request(base + path, { ...init, headers }), { peer: "10.0.0.1" });
  };
  await check({
    ask,
    post: (path, body, token) =>
      ask(path, {
        method: "POST",
        body: JSON.stringify(body),
        headers: { "content-type": "application/json" },
        ...(token === undefined ? {} : { token }),
      }),
    admin: await token("admin", admin),
    device: await token("UPB/A", device.password),
    callers,
    changes: () => changes,
    logged,
  });
}

async function statusOf(answer: Promise<Response>): Promise<number> {
  const { status, body } = await answer;
  await body?.cancel();
  return status;
}

Deno.test("without a token the API is 401 and says how; the rest is open", () =>
  withEdge(async ({ ask }) => {
    const answer = await ask("/api/status");
    assert.equal(answer.status, 401);
    assert.equal(answer.headers.get("www-authenticate"), 'Bearer realm="sluice"');
    assert.equal(answer.headers.get("content-type"), "application/problem+json");
    assert.equal((await answer.json()).type, "urn:sluice:problem:unauthorized");
    const bad = await ask("/api/status", { token: "a.b.c" });
    assert.match(bad.headers.get("www-authenticate") ?? "", /error="invalid_token"/);
    await bad.body?.cancel();
    for (const path of ["/", "/healthz", "/readyz", "/metrics", "/dashboard/page.js"]) {
      assert.equal(await statusOf(ask(path)), 200, path);
    }
    // A router that decodes would find the API behind these.
    for (const path of ["/%61pi/status", "/api%2Fstatus", "/%61pi", "/%ff", "/ap%69/readings"]) {
      assert.equal(await statusOf(ask(path)), 404, path);
    }
    assert.equal(await statusOf(ask("/%2561pi/status")), 404);
    for (const path of ["/api", "/api/", "/api/nothing", "/api//status", "/api/x/../status"]) {
      assert.equal(await statusOf(ask(path)), 401, path);
    }
  }));

Deno.test("a token lets in, by header or by the dashboard's cookie", () =>
  withEdge(async ({ ask, admin, device }) => {
    assert.equal(await statusOf(ask("/api/status", { token: admin })), 200);
    const cookie = { cookie: `sluice_session=${admin}` };
    assert.equal(await statusOf(ask("/api/status", { headers: cookie })), 200);
    assert.equal(await statusOf(ask("/api/status", { token: device })), 403);
    // With a cookie a page of another site could ask for changes: it may not.
    const foreign = { ...cookie, origin: "https://evil.example", host: "127.0.0.1:8080" };
    const replay = { method: "POST", headers: foreign };
    assert.equal(await statusOf(ask("/api/dead-letters/replay", replay)), 403);
  }));

Deno.test("an operator releases a device from quarantine, nobody below, and the log says who", () =>
  withEdge(async ({ ask, post, admin, device, logged }) => {
    const release = (token: string) =>
      statusOf(ask("/api/quarantine/d%20e", { method: "DELETE", token }));
    const logIn = async (name: string, role: string): Promise<string> => {
      const order = { name, kind: "person", roles: [role] };
      const { password } = await (await post("/api/accounts", order, admin)).json();
      return await (await post("/login", { name, password })).text();
    };
    const reader = await logIn("eve", "reader");
    assert.deepEqual([await release(device), await release(reader)], [403, 403]);
    assert.equal(await statusOf(ask("/api/quarantine", { token: device })), 403);
    assert.equal(await statusOf(ask("/api/quarantine", { token: reader })), 200);
    assert.deepEqual(logged, []);
    assert.equal(await release(await logIn("ana", "operator")), 204);
    assert.deepEqual(logged, [{ device: "d e", by: "ana" }]);
  }));

Deno.test("a page of another site cannot log a visitor in", () =>
  withEdge(async ({ ask }) => {
    const answer = await ask("/login", {
      method: "POST",
      body: new URLSearchParams({ name: "a", password: "b", session: "1" }),
      headers: { origin: "https://evil.example", host: "127.0.0.1:8080" },
    });
    assert.equal(answer.status, 403);
    assert.equal((await answer.json()).type, "urn:sluice:problem:cross-origin");
  }));

Deno.test("an admin sets limits: sessions and tokens go on, what is null is as for all, all is in the log", () =>
  withEdge(async ({ ask, post, admin, device, changes }) => {
    const limit = (name: string, body: unknown, token = admin) =>
      ask(`/api/accounts/${name}`, {
        method: "PATCH",
        body: JSON.stringify(body),
        headers: { "content-type": "application/json" },
        token,
      });
    const before = changes();
    const set = await limit("UPB/A", { limits: { messages: "20:1,600:60", sessionsMax: 3 } });
    assert.equal(set.status, 200);
    const account = await set.json();
    assert.deepEqual(account.limits, { messages: "20:1,600:60", sessionsMax: 3 });
    assert.equal(account.version, 1);
    assert.equal(changes(), before + 1);
    const again = await limit("UPB/A", { limits: { messages: null, retainedMax: 7 } });
    assert.deepEqual((await again.json()).limits, { sessionsMax: 3, retainedMax: 7 });
    assert.equal(await statusOf(limit("UPB/A", { limits: {} }, device)), 403, "its token is good");
    assert.equal(await statusOf(limit("UPB/nobody", { limits: {} })), 404);
    for (
      const body of [{}, { limits: { rate: "1:1" } }, { limits: { points: "x" } }, {
        sessionsMax: 1,
      }]
    ) {
      assert.equal(await statusOf(limit("UPB/A", body)), 400, JSON.stringify(body));
    }
    assert.equal(await statusOf(ask("/api/accounts/UPB/A", { token: admin })), 405);
    const log = await (await ask("/api/audit?limit=1", { token: admin })).json();
    const [{ actor, action, target, detail }] = log.items;
    assert.deepEqual([actor, action, target, JSON.parse(detail)], [
      "admin",
      "limit",
      "UPB/A",
      { messages: null, retainedMax: 7 },
    ]);
    const added = await post("/api/accounts", {
      name: "x",
      kind: "service",
      limits: { points: "9:1" },
    }, admin);
    assert.deepEqual((await added.json()).limits, { points: "9:1" });
  }));

Deno.test("an admin adds, lists, grants, disables, enables and rotates", () =>
  withEdge(async ({ ask, post, admin, changes }) => {
    const added = await post("/api/accounts", { name: "x", kind: "service" }, admin);
    assert.equal(added.status, 201);
    const { password, ...account } = await added.json();
    assert.match(password, /^[\w-]{32}$/);
    assert.equal(account.version, 1);
    const grant = { name: "x", roles: ["reader"], write: ["{name}/#"] };
    const granted = await (await post("/api/accounts/grant", grant, admin)).json();
    assert.deepEqual([granted.roles, granted.write, granted.version], [
      ["reader"],
      ["{name}/#"],
      2,
    ]);
    const off = await (await post("/api/accounts/disable", { name: "x" }, admin)).json();
    assert.equal(off.disabled, true);
    const on = await (await post("/api/accounts/enable", { name: "x" }, admin)).json();
    assert.equal(on.disabled, false);
    const turned = await (await post("/api/accounts/rotate", { name: "x" }, admin)).json();
    assert.notEqual(turned.password, password);
    assert.equal(changes(), 5);

    const first = await (await ask("/api/accounts?limit=2", { token: admin })).json();
    assert.equal(first.items.length, 2);
    const next = await (await ask(`/api/accounts?limit=2&cursor=${first.next}`, { token: admin }))
      .json();
    assert.deepEqual(next.items.map(({ name }: { name: string }) => name), ["x"]);
    assert.equal(next.next, undefined);
    const one = await (await ask("/api/accounts?name=x", { token: admin })).json();
    assert.equal(one.items[0].version, 5);
    const text = JSON.stringify([first, next, one]);
    assert.ok(!text.includes("scrypt") && !text.includes(turned.password));

    const audit = await (await ask("/api/audit?limit=3", { token: admin })).json();
    const shown = audit.items.map((entry: Record<string, unknown>) => [entry.actor, entry.action]);
    assert.deepEqual(shown, [["admin", "rotate"], ["admin", "enable"], ["admin", "disable"]]);
    const older = await (await ask(`/api/audit?limit=3&cursor=${audit.next}`, { token: admin }))
      .json();
    assert.equal(older.items[0].action, "grant");
  }));

Deno.test("nobody else may, also where accounts are not required", async () => {
  for (const required of [true, false]) {
    await withEdge(async ({ ask, post, device }) => {
      for (const token of [undefined, device]) {
        const expected = token === undefined ? 401 : 403;
        const asking = token === undefined ? {} : { token };
        assert.equal(await statusOf(ask("/api/accounts", asking)), expected);
        assert.equal(await statusOf(ask("/api/audit", asking)), expected);
        const verbs = ["", "/grant", "/disable", "/enable", "/rotate"];
        for (const verb of verbs) {
          const order = { name: "UPB/A", roles: ["admin"] };
          assert.equal(await statusOf(post(`/api/accounts${verb}`, order, token)), expected, verb);
        }
      }
    }, required);
  }
});

Deno.test("orders that make no sense are refused by name", () =>
  withEdge(async ({ post, admin }) => {
    const cases: readonly (readonly [string, unknown, number, RegExp])[] = [
      ["", { name: "#", kind: "device" }, 400, /a name is made of/],
      ["", { name: "a", kind: "robot" }, 400, /kind must be one of/],
      ["", { name: "a", kind: "device", roles: ["root"] }, 400, /roles must be one of/],
      ["", { name: "a", kind: "device", read: "x" }, 400, /read must be a list/],
      ["", { name: "a", kind: "device", password: "short" }, 400, /at least 12/],
      ["", { name: "a", kind: "device", admin: true }, 400, /unknown key "admin"/],
      ["", JSON.parse('{"name":"a","kind":"device","__proto__":{}}'), 400, /unknown key/],
      ["", { name: "UPB/A", kind: "device" }, 409, /there is an account/],
      ["", [], 400, /must be an object/],
      ["/disable", { name: "nobody" }, 404, /there is no account/],
      ["/disable", {}, 400, /name must be a text/],
      ["/grant", { name: "UPB/A", write: ["a#"] }, 400, /not a topic filter/],
    ];
    for (const [verb, order, status, detail] of cases) {
      const answer = await post(`/api/accounts${verb}`, order, admin);
      const body = await answer.json();
      assert.equal(answer.status, status, JSON.stringify(body));
      assert.match(body.detail, detail);
    }
  }));

Deno.test("a token of what the account was, and one of another key, are 401", async () => {
  await withEdge(async ({ ask, post, admin, device }) => {
    await post("/api/accounts/grant", { name: "UPB/A", roles: ["reader"] }, admin);
    const answer = await ask("/api/status", { token: device });
    assert.equal(answer.status, 401);
    assert.match((await answer.json()).detail, /has changed/);
    const permissions = { roles: ["admin"], read: [], write: [], devices: [] } as const;
    const claims: Claims = {
      name: "admin",
      version: 1,
      issuedS: 1_800_000_000,
      expiresS: 1_800_003_600,
      permissions,
    };
    const key = { kid: "x", secret: new TextEncoder().encode("x".repeat(32)) };
    const token = await signToken(claims, [key]);
    assert.equal(await statusOf(ask("/api/status", { token })), 401);
  });
});

Deno.test("the last admin is not taken away: 409 that says what to do first", () =>
  withEdge(async ({ ask, post, admin }) => {
    const orders = [
      () => post("/api/accounts/disable", { name: "admin" }, admin),
      () => post("/api/accounts/grant", { name: "admin", roles: ["reader"] }, admin),
      () => ask("/api/accounts?name=admin", { method: "DELETE", token: admin }),
    ];
    for (const order of orders) {
      const answer = await order();
      assert.equal(answer.status, 409);
      const { type, detail } = await answer.json();
      assert.equal(type, "urn:sluice:problem:last-admin");
      assert.match(detail, /^"admin" is the last admin who is not disabled; first make another/);
    }
    assert.equal(
      await statusOf(post("/api/accounts/grant", { name: "UPB/A", roles: ["admin"] }, admin)),
      200,
    );
    assert.equal(await statusOf(post("/api/accounts/disable", { name: "admin" }, admin)), 200);
  }));
