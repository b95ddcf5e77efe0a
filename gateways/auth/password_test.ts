import assert from "node:assert/strict";
import { nativeScrypt } from "./native_scrypt.ts";
import { generatePassword, PasswordHasher, passwordProblem } from "./password.ts";

const quick = { ln: 4, r: 1, p: 1 };

Deno.test("a password is right, or it is not; the hash has its parameters", async () => {
  const hasher = new PasswordHasher(nativeScrypt, quick);
  const hash = await hasher.hash("correct horse");
  assert.match(hash, /^\$scrypt\$ln=4,r=1,p=1\$[\w-]{22}\$[\w-]{43}$/);
  assert.equal(await hasher.verify("correct horse", hash), true);
  assert.equal(await hasher.verify("correct horsE", hash), false);
  assert.notEqual(await hasher.hash("correct horse"), hash, "the salt differs");
  // Parameters may be raised: old hashes go on working.
  const later = new PasswordHasher(nativeScrypt, { ln: 5, r: 2, p: 1 });
  assert.equal(await later.verify("correct horse", hash), true);
});

Deno.test("the default parameters are those that are written down", async () => {
  const hash = await new PasswordHasher(nativeScrypt).hash("x");
  assert.ok(hash.startsWith("$scrypt$ln=14,r=8,p=5$"), hash);
});

Deno.test("without a hash the same work is done", async () => {
  const hasher = new PasswordHasher(nativeScrypt, quick);
  const hash = await hasher.hash("correct horse");
  const before = hasher.derivations;
  await hasher.verify("wrong", hash);
  assert.equal(hasher.derivations, before + 1);
  assert.equal(await hasher.verify("wrong", undefined), false);
  assert.equal(hasher.derivations, before + 2);
});

Deno.test("a hash that is none is an error, and not a wrong password", async () => {
  const hasher = new PasswordHasher(nativeScrypt, quick);
  const costly = ["ln=99,r=8,p=1", "ln=19,r=8,p=1", "ln=4,r=8,p=99", "ln=4,r=99,p=1"];
  const none = [
    "",
    "plain text",
    "$2b$12$abc",
    ...costly.map((cost) => `$scrypt$${cost}$AAAA$AAAA`),
  ];
  for (const bad of none) {
    await assert.rejects(hasher.verify("x", bad), bad);
  }
});

Deno.test("placeholders and short passwords are refused", () => {
  const bad = [
    "",
    "short",
    "aaaaaaaaaaaaaaaa",
    "changeme-changeme",
    "ChangeMe123456",
    "password12345",
    "123456789012",
    "my RPi_1 is nice",
    "x".repeat(1025),
  ];
  for (const password of bad) {
    assert.notEqual(passwordProblem(password, "rpi_1"), undefined, password.slice(0, 20));
  }
  assert.equal(passwordProblem("correct horse battery", "rpi_1"), undefined);
  const generated = new Set(Array.from({ length: 100 }, generatePassword));
  assert.equal(generated.size, 100);
  for (const password of generated) assert.equal(passwordProblem(password, "rpi_1"), undefined);
});
