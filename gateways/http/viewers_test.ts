import assert from "node:assert/strict";
import { ManualClock } from "../../runtime/clock.ts";
import type { Claims } from "../auth/token.ts";
import type { ClientCertificate } from "../mqtt/endpoint/arrival.ts";
import { Viewers } from "./viewers.ts";

const claims = (name: string, expiresS: number): Claims => ({
  name,
  version: 1,
  issuedS: 0,
  expiresS,
  permissions: { roles: [], read: [], write: [], devices: [] },
});

Deno.test("a viewer ends with its token, with its account and by a ban, though nothing is sent", () => {
  const clock = new ManualClock();
  const startS = Math.floor(clock.now() / 1_000);
  const changed = new Set<string>();
  const banned = new Set<string>();
  let isRevoked = false;
  const viewers = new Viewers({
    clock,
    countMax: 3,
    isCurrent: ({ name }) => !changed.has(name),
    endOf: () => isRevoked ? "revoked" : undefined,
    isBanned: ({ peer }) => banned.has(peer),
  });
  const ended: string[] = [];
  const add = (name: string, claims?: Claims, certificate?: ClientCertificate) => {
    const viewer = {
      close: () => {
        ended.push(name);
        viewers.delete(viewer);
      },
    };
    viewers.add(viewer, { peer: name, ...(claims && { claims }), certificate });
  };
  add("nobody");
  add("late", claims("late", startS + 2));
  add("gone", claims("gone", startS + 60));
  assert.ok(viewers.full);
  clock.advance(1_000);
  assert.deepEqual(ended, []);
  clock.advance(1_500);
  assert.deepEqual(ended, ["late"]);
  changed.add("gone");
  viewers.recheck();
  assert.deepEqual(ended, ["late", "gone"]);
  clock.advance(60_000);
  assert.equal(viewers.size, 1, "without a token nothing ends");
  add("flapping");
  banned.add("flapping");
  viewers.recheck();
  assert.equal(ended.pop(), "flapping");
  add("certified", undefined, { name: "c", issuer: "CN=ca", serial: "01", expiresMs: 0 });
  assert.equal(viewers.size, 2);
  isRevoked = true;
  viewers.recheck();
  assert.deepEqual(ended, ["late", "gone", "certified"]);
  viewers.close();
  assert.equal(viewers.size, 0);
});
