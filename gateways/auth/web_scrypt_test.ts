import assert from "node:assert/strict";
import { nativeScrypt } from "./native_scrypt.ts";
import { PasswordHasher } from "./password.ts";
import { webScrypt } from "./web_scrypt.ts";

Deno.test("hashes of the service and of the login on Web APIs are the same", async () => {
  const native = new PasswordHasher(nativeScrypt, { ln: 6, r: 8, p: 2 });
  const web = new PasswordHasher(webScrypt, { ln: 6, r: 8, p: 2 });
  for (const password of ["correct horse", "\u00e4\u{1f40e}\0", "x".repeat(1024)]) {
    for (const [by, other] of [[native, web], [web, native]] as const) {
      const hash = await by.hash(password);
      assert.equal(await other.verify(password, hash), true);
      assert.equal(await other.verify(`${password} `, hash), false);
      assert.equal(await other.verify(password, undefined), false);
    }
  }
});

Deno.test("others have their turn while a key is derived", async () => {
  const hasher = new PasswordHasher(webScrypt);
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  await hasher.verify("x", undefined);
  clearInterval(timer);
  assert.ok(turns > 2, `${turns} turns`);
});
