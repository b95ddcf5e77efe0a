import assert from "node:assert/strict";
import type { Claims } from "../../auth/token.ts";
import type { Caller } from "../callers.ts";
import { Problem } from "../problem.ts";
import { accountOf, unseen } from "./item_tokens.ts";

const claimsOf = (name: string): Claims => ({
  name,
  version: 1,
  issuedS: 0,
  expiresS: 60,
  permissions: { roles: [], read: [], write: [], devices: [] },
});
const shownIn = (token: string): Promise<Claims> =>
  token.startsWith("good ")
    ? Promise.resolve(claimsOf(token.slice(5)))
    : Promise.reject(new Problem("unauthorized", "bad"));
const account = async (caller: Omit<Caller, "peer">, ...tokens: string[]) =>
  (await accountOf(tokens, { peer: "", ...caller }, shownIn))?.name;
const unauthorized = (error: unknown) => error instanceof Problem && error.type === "unauthorized";

Deno.test("where accounts are asked for every token in a reading is looked at", async () => {
  const known = { claims: claimsOf("a") };
  const stranger = { isStranger: true };
  assert.equal(await account({}, "bad"), undefined);
  assert.equal(await account(known), "a");
  assert.equal(await account(known, "good a"), "a");
  assert.equal(await account(stranger, "good b", "good b"), "b");
  await assert.rejects(account(stranger), unauthorized);
  await assert.rejects(account(stranger, "bad"), unauthorized);
  await assert.rejects(account(stranger, "good b", "bad"), unauthorized);
  await assert.rejects(account(known, "bad"), unauthorized);
  await assert.rejects(account(known, "good b"), unauthorized);
});

Deno.test("who has shown no token is not told what is wrong with what came", () => {
  assert.ok(unauthorized(unseen(new Problem("invalid-body", "empty"))));
  const large = unseen(new Problem("body-too-large", "64 KiB", {}, { connection: "close" }));
  assert.ok(unauthorized(large) && large instanceof Problem);
  assert.equal(large.headers["connection"], "close", "it was not read to its end");
  assert.match(large.headers["www-authenticate"] ?? "", /^Bearer /);
  const slow = new Problem("body-too-slow", "slow");
  assert.equal(unseen(slow), slow);
  const fault = new Error("inside");
  assert.equal(unseen(fault), fault);
});
