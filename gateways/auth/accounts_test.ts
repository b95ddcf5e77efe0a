import assert from "node:assert/strict";
import { type AccountError } from "./accounts.ts";
import { quickAccounts } from "./testing/quick_accounts.ts";
import { verifyToken } from "./token.ts";
import { BusyError, Turns } from "./turns.ts";

const device = { name: "UPB/A", kind: "device" } as const;

async function refused(promise: Promise<unknown>, reason: AccountError["reason"]): Promise<void> {
  await assert.rejects(promise, { name: "AccountError", reason });
}

Deno.test("a device logs in and gets a token that says what it may do", async () => {
  await using it = await quickAccounts();
  const { password } = await it.accounts.add({ ...device, write: ["log/{name}"] }, "admin");
  const answer = await it.accounts.login("UPB/A", password, "10.0.0.1");
  assert.ok(answer.kind === "granted");
  const claims = await verifyToken(answer.token, it.keys, it.clock.now());
  assert.ok(typeof claims === "object");
  assert.equal(claims.name, "UPB/A");
  assert.equal(claims.expiresS - claims.issuedS, 3_600);
  assert.deepEqual(claims.permissions.write, [
    "UPB/A",
    "device/UPB/A",
    "UPB/A/position",
    "log/UPB/A",
  ]);
  assert.equal(answer.endpoints.length, 2);
});

Deno.test("a certificate's name lets in when its account is there and enabled", async () => {
  await using it = await quickAccounts();
  await it.accounts.add(device, "admin");
  const answer = await it.accounts.certified("UPB/A");
  assert.ok(answer.kind === "granted");
  assert.equal(answer.account.version, 1);
  await it.accounts.disable("UPB/A", "admin");
  for (const name of ["UPB/A", "nobody", "#", "UPB/A\0", ""]) {
    assert.deepEqual(await it.accounts.certified(name), { kind: "wrong" });
  }
  assert.equal(it.hasher.derivations, 1);
  assert.equal(it.accounts.stats.counters()['sluice_logins_total{outcome="wrong"}'], 5);
});

Deno.test("unknown, wrong and disabled: one answer, and the same work for each", async () => {
  await using it = await quickAccounts();
  const { password } = await it.accounts.add({ ...device, name: "off" }, "admin");
  await it.accounts.add(device, "admin");
  await it.accounts.disable("off", "admin");
  const tries: readonly (readonly [string, string])[] = [
    ["UPB/A", "wrong"],
    ["nobody", "wrong"],
    ["off", password],
    ["#", "wrong"],
    ["+", "wrong"],
    ["__proto__", "wrong"],
    ["a\nb", "wrong"],
    ["", ""],
    ["x".repeat(100_000), "wrong"],
    ["UPB/A", "y".repeat(100_000)],
    ["UPB/A", "a\0b"],
  ];
  for (const [i, [name, secret]] of tries.entries()) {
    const before = it.hasher.derivations;
    const answer = await it.accounts.authenticate(name, secret, `10.0.1.${i}`);
    assert.deepEqual(answer, { kind: "wrong" }, name.slice(0, 20));
    assert.equal(it.hasher.derivations, before + 1, name.slice(0, 20));
  }
});

Deno.test("a password that was right costs no second scrypt; a wrong one always does", async () => {
  await using it = await quickAccounts();
  const { password } = await it.accounts.add(device, "admin");
  const login = async (secret: string) =>
    (await it.accounts.authenticate("UPB/A", secret, "10.0.0.1")).kind;
  assert.equal(await login(password), "granted");
  const before = it.hasher.derivations;
  assert.equal(await login(password), "granted");
  assert.equal(it.hasher.derivations, before);
  assert.equal(await login(`${password}x`), "wrong");
  assert.equal(it.hasher.derivations, before + 1);
  const { password: next } = await it.accounts.rotate("UPB/A", undefined, "admin");
  assert.equal(await login(password), "wrong");
  assert.equal(await login(next), "granted");
  await it.accounts.disable("UPB/A", "admin");
  assert.equal(await login(next), "wrong");
});

Deno.test("wrong tries are limited, known or not, also at once; right ones are not", async () => {
  await using it = await quickAccounts();
  const { password } = await it.accounts.add(device, "admin");
  for (let i = 0; i < 50; i++) {
    const { kind } = await it.accounts.authenticate("UPB/A", password, "10.0.0.1");
    assert.equal(kind, "granted");
  }
  for (const name of ["UPB/A", "nobody"]) {
    const answers = await Promise.all(
      Array.from(
        { length: 20 },
        (_, i) => it.accounts.authenticate(name, `wrong ${i}`, "10.0.0.2"),
      ),
    );
    assert.equal(answers.filter(({ kind }) => kind === "wrong").length, 10, name);
    assert.deepEqual(answers.at(-1), { kind: "limited", retryAfterS: 30 }, name);
  }
  // Otherwise a guess would be told from the others by its answer.
  const { kind } = await it.accounts.authenticate("UPB/A", password, "10.0.0.3");
  assert.equal(kind, "limited");
  // Where it has logged in from before, nobody else's tries shut it out.
  assert.equal((await it.accounts.authenticate("UPB/A", password, "10.0.0.1")).kind, "granted");
  it.clock.advance(30_000);
  assert.equal((await it.accounts.authenticate("UPB/A", password, "10.0.0.3")).kind, "granted");
});

Deno.test("the first start makes one admin, also when two start at once", async () => {
  await using it = await quickAccounts();
  const made = await Promise.all([it.accounts.ensureAdmin(), it.accounts.ensureAdmin()]);
  const issued = made.filter((one) => one !== undefined);
  assert.equal(issued.length, 1);
  assert.deepEqual(issued[0]?.account.roles, ["admin"]);
  assert.equal(await it.accounts.ensureAdmin(), undefined);
  const answer = await it.accounts.authenticate("admin", issued[0]?.password ?? "", "::1");
  assert.equal(answer.kind, "granted");
});

Deno.test("what cannot be an account is refused", async () => {
  await using it = await quickAccounts();
  const { accounts } = it;
  await refused(accounts.add({ name: "#", kind: "device" }, "x"), "invalid");
  await refused(accounts.add({ ...device, password: "changeme1234" }, "x"), "invalid");
  await refused(accounts.add({ ...device, write: ["a#"] }, "x"), "invalid");
  await refused(accounts.add({ ...device, devices: ["a*b"] }, "x"), "invalid");
  await refused(
    accounts.add({ ...device, read: Array.from({ length: 65 }, (_, i) => `${i}`) }, "x"),
    "invalid",
  );
  await accounts.add(device, "x");
  await refused(accounts.add(device, "x"), "exists");
  await refused(accounts.disable("nobody", "x"), "unknown");
  await refused(accounts.rotate("UPB/A", "short", "x"), "invalid");
  await refused(accounts.grant("UPB/A", { write: ["#/a"] }, "x"), "invalid");
});

Deno.test("the audit log has who did what, and no secret", async () => {
  await using it = await quickAccounts();
  const { password } = await it.accounts.add(device, "cli:root");
  await it.accounts.grant("UPB/A", { roles: ["reader"] }, "admin");
  const { password: next } = await it.accounts.rotate("UPB/A", undefined, "admin");
  const log = await it.accounts.audit({ limit: 10 });
  assert.deepEqual(log.map(({ actor, action, target }) => [actor, action, target]), [
    ["admin", "rotate", "UPB/A"],
    ["admin", "grant", "UPB/A"],
    ["cli:root", "add", "UPB/A"],
  ]);
  const text = JSON.stringify(log);
  assert.ok(!text.includes(password) && !text.includes(next) && !text.includes("scrypt"));
});

Deno.test("costly work is bounded", async () => {
  const turns = new Turns(2, 1);
  const gate = Promise.withResolvers<void>();
  const waiting = [1, 2, 3].map(() => turns.run(() => gate.promise));
  await assert.rejects(turns.run(() => Promise.resolve()), BusyError);
  gate.resolve();
  await Promise.all(waiting);
  assert.equal(await turns.run(() => Promise.resolve(5)), 5);
});
