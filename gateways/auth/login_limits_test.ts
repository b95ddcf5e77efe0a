import assert from "node:assert/strict";
import { ManualClock } from "../../runtime/clock.ts";
import { LoginLimits, networkOf } from "./login_limits.ts";

const limit = { burst: 3, refillMs: 10_000 };

Deno.test("wrong tries run out per account, from any address, and come back", () => {
  const clock = new ManualClock();
  const limits = new LoginLimits({ clock, account: limit });
  for (let i = 0; i < 3; i++) assert.equal(limits.take("a", `10.0.0.${i}`).kind, "taken");
  assert.deepEqual(limits.take("a", "10.0.0.9"), { kind: "limited", retryAfterS: 10 });
  assert.equal(limits.take("b", "10.0.0.9").kind, "taken");
  clock.advance(9_999);
  assert.equal(limits.take("a", "10.0.0.9").kind, "limited");
  clock.advance(1);
  assert.equal(limits.take("a", "10.0.0.9").kind, "taken");
  assert.equal(limits.take("a", "10.0.0.9").kind, "limited");
});

Deno.test("wrong tries run out per address, for any account", () => {
  const limits = new LoginLimits({ clock: new ManualClock(), address: limit });
  for (let i = 0; i < 3; i++) assert.equal(limits.take(`a${i}`, "10.0.0.1").kind, "taken");
  assert.equal(limits.take("b", "10.0.0.1").kind, "limited");
  assert.equal(limits.take("b", "10.0.0.2").kind, "taken");
});

Deno.test("a right try costs nothing, and tries at once all count", () => {
  const limits = new LoginLimits({ clock: new ManualClock(), account: limit });
  const first = limits.take("a", "x");
  limits.take("a", "x");
  limits.take("a", "x");
  assert.equal(limits.take("a", "x").kind, "limited");
  assert.ok(first.kind === "taken");
  first.giveBack();
  assert.equal(limits.take("a", "x").kind, "taken");
});

Deno.test("where an account has logged in from, nobody elsewhere shuts it out, and guesses are limited too", () => {
  const clock = new ManualClock();
  const limits = new LoginLimits({ clock, account: limit });
  const login = limits.take("a", "10.0.0.1");
  assert.ok(login.kind === "taken");
  login.right();
  for (let i = 0; i < 3; i++) assert.equal(limits.take("a", `10.0.1.${i}`).kind, "taken");
  assert.equal(limits.take("a", "10.0.2.1").kind, "limited", "strangers have used theirs up");
  for (let i = 0; i < 10; i++) {
    const own = limits.take("a", "10.0.0.1");
    assert.ok(own.kind === "taken");
    own.right();
  }
  for (let i = 0; i < 3; i++) assert.equal(limits.take("a", "10.0.0.1").kind, "taken");
  assert.deepEqual(limits.take("a", "10.0.0.1"), { kind: "limited", retryAfterS: 10 });
  assert.equal(limits.take("b", "10.0.0.1").kind, "taken");
});

Deno.test("a try that came to nothing makes no address known", () => {
  const limits = new LoginLimits({ clock: new ManualClock(), account: limit });
  const first = limits.take("a", "10.0.0.1");
  assert.ok(first.kind === "taken");
  first.giveBack();
  for (let i = 0; i < 3; i++) assert.equal(limits.take("a", "10.0.0.2").kind, "taken");
  assert.equal(limits.take("a", "10.0.0.1").kind, "limited");
});

Deno.test("what is remembered is bounded", () => {
  const limits = new LoginLimits({ clock: new ManualClock(), account: limit, rememberedMax: 10 });
  for (let i = 0; i < 100; i++) limits.take(`${i}${"x".repeat(100_000)}`, `10.0.0.${i}`);
  for (let i = 0; i < 3; i++) limits.take("__proto__", "1");
  assert.equal(limits.take("__proto__", "1").kind, "limited");
});

Deno.test("of an IPv6 address the /64 counts", () => {
  assert.equal(networkOf("10.1.2.3"), "10.1.2.3");
  assert.equal(networkOf("::ffff:10.1.2.3"), "10.1.2.3");
  assert.equal(networkOf("2001:db8:0:1:a:b:c:d"), "2001:db8:0:1::/64");
  assert.equal(networkOf("2001:DB8:0:1::1"), "2001:db8:0:1::/64");
  assert.equal(networkOf("2001:db8::1"), "2001:db8:0:0::/64");
  assert.equal(networkOf("::1"), "0:0:0:0::/64");
});
