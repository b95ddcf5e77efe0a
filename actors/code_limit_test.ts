import assert from "node:assert/strict";
import { CodeLimit, CodeTimeoutError } from "./code_limit.ts";

Deno.test("code that never returns is ended, whatever it catches", () => {
  const limit = new CodeLimit(20);
  let caught = 0;
  const spinning: (() => void)[] = [
    () => {
      for (;;);
    },
    () => {
      for (;;) {
        try {
          while (caught === 0);
        } catch {
          caught++;
        } finally {
          caught++;
        }
      }
    },
    () =>
      void "x".repeat(1e6).split("").sort(() => {
        for (;;);
      }),
  ];
  for (const spin of spinning) {
    assert.throws(() => limit.run(spin), (error) => {
      assert.ok(error instanceof CodeTimeoutError);
      assert.equal(error.message, "the code had not returned after 20 ms");
      return true;
    });
  }
  assert.equal(caught, 0);
});

Deno.test("what code returns and throws is as without a limit", () => {
  const own = new TypeError("own");
  const object = {};
  for (const limit of [new CodeLimit(60_000), new CodeLimit(0)]) {
    assert.equal(limit.run(() => object), object);
    assert.equal(limit.run(() => undefined), undefined);
    assert.throws(
      () =>
        limit.run(() => {
          throw own;
        }),
      (error) => error === own,
    );
    assert.equal(limit.run(() => limit.run(() => 1) + 1), 2);
  }
});
