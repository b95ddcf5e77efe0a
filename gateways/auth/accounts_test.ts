import assert from "node:assert/strict";
import { type AccountError } from "./accounts.ts";
import { quickAccounts } from "./testing/quick_accounts.ts";

const device = { name: "UPB/A", kind: "device" } as const;

async function refused(promise: Promise<unknown>, reason: AccountError["reason"]): Promise<void> {
  await assert.rejects(promise, { name: "AccountError", reason });
}

Deno.test("the first start makes one admin, also when two start at once", async () => {
  await using it = await quickAccounts();
  const made = await Promise.all([it.accounts.ensureAdmin(), it.accounts.ensureAdmin()]);
  const issued = made.filter((one) => one !== undefined);
  assert.equal(issued.length, 1);
  assert.deepEqual(issued[0]?.account.roles, ["admin"]);
  assert.equal(await it.accounts.ensureAdmin(), undefined);
  const answer = await it.logins.authenticate("admin", issued[0]?.password ?? "", "::1");
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
