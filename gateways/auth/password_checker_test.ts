import assert from "node:assert/strict";
import { nativeScrypt } from "./native_scrypt.ts";
import { passwordBytesMax, PasswordHasher } from "./password.ts";
import { PasswordChecker } from "./password_checker.ts";
import { quickScrypt } from "./testing/quick_accounts.ts";
import { BusyError } from "./turns.ts";

function setUp() {
  const hasher = new PasswordHasher(nativeScrypt, quickScrypt);
  return { hasher, passwords: new PasswordChecker(hasher) };
}

Deno.test("one that was right lately costs nothing, for that name and that hash alone", async () => {
  const { hasher, passwords } = setUp();
  const hash = await passwords.hash("right");
  const costs = async (name: string, password: string, of: string): Promise<[boolean, number]> => {
    const before = hasher.derivations;
    const right = await passwords.verify(name, password, of);
    return [right, hasher.derivations - before];
  };
  assert.deepEqual(await costs("A", "right", hash), [true, 1]);
  assert.deepEqual(await costs("A", "right", hash), [true, 0]);
  assert.deepEqual(await costs("B", "right", hash), [true, 1]);
  assert.deepEqual(await costs("A", "right", await passwords.hash("right")), [true, 1]);
  assert.deepEqual(await costs("A", "wrong", hash), [false, 1]);
  assert.deepEqual(await costs("A", "wrong", hash), [false, 1]);
});

Deno.test("no account, and a password that is too long: the same work for nothing", async () => {
  const { hasher, passwords } = setUp();
  const long = "x".repeat(passwordBytesMax + 1);
  const hashes = [undefined, await passwords.hash("right"), await passwords.hash("")];
  for (const hash of hashes) {
    const before = hasher.derivations;
    assert.equal(await passwords.verify("A", long, hash), false);
    assert.equal(hasher.derivations, before + 1);
  }
  assert.equal(await passwords.verify("A", "right", undefined), false);
});

Deno.test("more at once than may wait are refused", async () => {
  const gate = Promise.withResolvers<Uint8Array>();
  const hasher = new PasswordHasher(() => gate.promise, quickScrypt);
  const passwords = new PasswordChecker(hasher, { atOnceMax: 1, waitingMax: 1 });
  const both = [passwords.hash("a"), passwords.verify("A", "b", undefined)];
  await assert.rejects(passwords.hash("c"), BusyError);
  await assert.rejects(passwords.verify("A", "c", undefined), BusyError);
  gate.resolve(new Uint8Array(32));
  await Promise.all(both);
  assert.equal(hasher.derivations, 2);
});
