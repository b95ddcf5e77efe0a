import assert from "node:assert/strict";
import { KeptSession } from "../kept/kept_session.ts";
import { type Chosen, ShareGroup } from "./share_group.ts";
import type { Grant, Subscriber } from "./subscription_table.ts";

const grantOf = (qos: Grant["qos"]): Grant => ({
  qos,
  noLocal: false,
  retainAsPublished: false,
  ids: [],
});
const grant = grantOf(1);

const subscriber = (ready = true): Subscriber => ({ names: new Set(), ready, deliver() {} });

let nextId = 1;
/** A session whose client is connected to shard `holder`, or to none. */
function kept(holder?: number): KeptSession {
  const session = new KeptSession(nextId, `client ${nextId++}`, "");
  session.holder = holder;
  return session;
}

/** How often each was chosen in so many turns. */
function shares(group: ShareGroup, turns: number): Map<KeptSession | "here" | number, number> {
  const counts = new Map<KeptSession | "here" | number, number>();
  const keyOf = (chosen: Chosen) => typeof chosen === "object" ? chosen[0] : chosen;
  for (let i = 0; i < turns; i++) {
    const key = keyOf(group.choose());
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

Deno.test("every member has the same share, wherever it is", () => {
  const group = new ShareGroup("$share/g/a");
  const online = kept(2);
  group.join(subscriber(), grant);
  group.join(subscriber(), grant);
  group.setRemote(1, 3);
  group.joinKept(online, grant);
  group.joinKept(kept(), grant);
  const found = shares(group, 60);
  assert.deepEqual([found.get("here"), found.get(1), found.get(online)], [20, 30, 10]);
});

Deno.test("members that are offline have their turns when nobody else is there", () => {
  const group = new ShareGroup("$share/g/a");
  const offline = [kept(), kept()];
  for (const session of offline) group.joinKept(session, grant);
  const found = shares(group, 10);
  assert.deepEqual(offline.map((session) => found.get(session)), [5, 5]);
});

Deno.test("here, who does not keep up is left out for as long as others do", () => {
  const group = new ShareGroup("$share/g/a");
  const [a, slow, b] = [subscriber(), subscriber(false), subscriber()];
  for (const one of [a, slow, b]) group.join(one, grant);
  const next = () => group.next()?.[0];
  assert.deepEqual([next(), next(), next(), next()], [a, b, a, b]);
  group.leave(a);
  group.leave(b);
  assert.equal(next(), slow);
  group.leave(slow);
  assert.equal(next(), undefined);
});

Deno.test("who joins again has the new grant, and one place as before", () => {
  const group = new ShareGroup("$share/g/a");
  const one = subscriber();
  group.join(one, grantOf(0));
  group.join(one, grantOf(2));
  assert.equal(group.localCount, 1);
  assert.equal(group.next()?.[1].qos, 2);
  const session = kept();
  group.joinKept(session, grantOf(0));
  assert.equal(group.keptAnywhere(), undefined); // With QoS 0 nothing waits for it.
  group.joinKept(session, grantOf(1));
  assert.equal(group.keptAnywhere()?.[0], session);
});

Deno.test("a group is empty when nobody is left, here, elsewhere or in the file", () => {
  const group = new ShareGroup("$share/g/a");
  const [one, session] = [subscriber(), kept(1)];
  group.join(one, grant);
  group.setRemote(1, 2);
  group.joinKept(session, grant);
  group.leave(one);
  group.leave(one);
  group.setRemote(1, 0);
  assert.equal(group.empty, false);
  group.leaveKept(session);
  assert.equal(group.empty, true);
  assert.equal(group.choose(), "here");
});
