import assert from "node:assert/strict";
import { quickAccounts } from "./testing/quick_accounts.ts";
import { verifyToken } from "./token.ts";

const device = { name: "UPB/A", kind: "device" } as const;

Deno.test("a device logs in and gets a token that says what it may do", async () => {
  await using it = await quickAccounts();
  const { password } = await it.accounts.add({ ...device, write: ["log/{name}"] }, "admin");
  const answer = await it.logins.login("UPB/A", password, "10.0.0.1");
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
  const answer = await it.logins.certified("UPB/A");
  assert.ok(answer.kind === "granted");
  assert.equal(answer.account.version, 1);
  await it.accounts.disable("UPB/A", "admin");
  for (const name of ["UPB/A", "nobody", "#", "UPB/A\0", ""]) {
    assert.deepEqual(await it.logins.certified(name), { kind: "wrong" });
  }
  assert.equal(it.hasher.derivations, 1);
  assert.equal(it.logins.stats.counters()['sluice_logins_total{outcome="wrong"}'], 5);
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
    const answer = await it.logins.authenticate(name, secret, `10.0.1.${i}`);
    assert.deepEqual(answer, { kind: "wrong" }, name.slice(0, 20));
    assert.equal(it.hasher.derivations, before + 1, name.slice(0, 20));
  }
});

Deno.test("a password that was right costs no second scrypt; a wrong one always does", async () => {
  await using it = await quickAccounts();
  const { password } = await it.accounts.add(device, "admin");
  const login = async (secret: string) =>
    (await it.logins.authenticate("UPB/A", secret, "10.0.0.1")).kind;
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
    const { kind } = await it.logins.authenticate("UPB/A", password, "10.0.0.1");
    assert.equal(kind, "granted");
  }
  for (const name of ["UPB/A", "nobody"]) {
    const answers = await Promise.all(
      Array.from(
        { length: 20 },
        (_, i) => it.logins.authenticate(name, `wrong ${i}`, "10.0.0.2"),
      ),
    );
    assert.equal(answers.filter(({ kind }) => kind === "wrong").length, 10, name);
    assert.deepEqual(answers.at(-1), { kind: "limited", retryAfterS: 30 }, name);
  }
  // Otherwise a guess would be told from the others by its answer.
  const { kind } = await it.logins.authenticate("UPB/A", password, "10.0.0.3");
  assert.equal(kind, "limited");
  // Where it has logged in from before, nobody else's tries shut it out.
  assert.equal((await it.logins.authenticate("UPB/A", password, "10.0.0.1")).kind, "granted");
  it.clock.advance(30_000);
  assert.equal((await it.logins.authenticate("UPB/A", password, "10.0.0.3")).kind, "granted");
});
