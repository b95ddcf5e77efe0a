/**
 * What every place for accounts must do, as one suite that both are held to.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { AccountRecord } from "../account.ts";
import type { AccountStore, Change } from "../account_store.ts";

export function record(name: string, set: Partial<AccountRecord> = {}): AccountRecord {
  return {
    name,
    kind: "device",
    roles: ["device"],
    read: ["a/+"],
    write: ["b/#"],
    devices: ["c*"],
    disabled: false,
    limits: {},
    version: 1,
    createdMs: 1_000,
    changedMs: 1_000,
    passwordHash: "$scrypt$ln=1,r=1,p=1$AA$AA",
    ...set,
  };
}

const change = (action: Change["action"], atMs = 1_000): Change => ({
  actor: "admin",
  action,
  detail: `d\n'"; DROP TABLE accounts; --`,
  atMs,
});

type Case = (store: AccountStore) => Promise<void>;

/** Each runs on an empty store. */
export const accountStoreCases: Readonly<Record<string, Case>> = {
  "an account comes back as it was added, once": async (store) => {
    assert.equal(await store.find("a"), undefined);
    assert.equal(await store.add(record("a"), change("add")), 1);
    assert.deepEqual(await store.find("a"), record("a"));
    assert.equal(await store.add(record("a", { kind: "person" }), change("add")), undefined);
    assert.equal((await store.find("a"))?.kind, "device");
    assert.equal((await store.audit({ limit: 10 })).length, 1);
  },
  "names are only names": async (store) => {
    const names = ["__proto__", "constructor", "' OR 1=1 --", "Ω/ß", "A", "a", "B", "%", "_"];
    for (const name of names) assert.equal(await store.add(record(name), change("add")), 1);
    for (const name of names) assert.equal((await store.find(name))?.name, name);
    assert.equal(await store.find("toString"), undefined);
    const listed = await store.list({ limit: 100 });
    assert.deepEqual(listed.map(({ name }) => name), names.toSorted());
  },
  "a list goes on after a name, and holds no secret": async (store) => {
    for (const name of ["c", "a", "b"]) await store.add(record(name), change("add"));
    const first = await store.list({ limit: 2 });
    assert.deepEqual(first.map(({ name }) => name), ["a", "b"]);
    assert.deepEqual((await store.list({ limit: 2, after: "b" })).map(({ name }) => name), ["c"]);
    assert.ok(!("passwordHash" in first[0]!));
  },
  "a change counts the version up and is in the audit log": async (store) => {
    await store.add(record("a"), change("add"));
    const after = await store.change("a", { disabled: true }, change("disable", 2_000));
    assert.equal(after?.version, 2);
    assert.equal(after?.disabled, true);
    await store.change("a", { roles: ["reader"], passwordHash: "x" }, change("rotate", 3_000));
    const { passwordHash: hash, ...found } = await store.find("a") ?? record("");
    assert.equal(hash, "x");
    assert.deepEqual(found, {
      name: "a",
      kind: "device",
      roles: ["reader"],
      read: ["a/+"],
      write: ["b/#"],
      devices: ["c*"],
      disabled: true,
      limits: {},
      version: 3,
      createdMs: 1_000,
      changedMs: 3_000,
    });
    const log = await store.audit({ limit: 2 });
    assert.deepEqual(log.map(({ action, version, atMs }) => [action, version, atMs]), [
      ["rotate", 3, 3_000],
      ["disable", 2, 2_000],
    ]);
    const [older] = await store.audit({ limit: 2, before: log[1]!.sequence });
    assert.deepEqual({ ...older, sequence: 0 }, {
      sequence: 0,
      atMs: 1_000,
      actor: "admin",
      action: "add",
      target: "a",
      version: 1,
      detail: `d\n'"; DROP TABLE accounts; --`,
    });
  },
  "limits come back, change without a new version, and are told until they are gone": async (
    store,
  ) => {
    const limits = { messages: "20:1,600:60", points: "200:1", sessionsMax: 3, retainedMax: 9 };
    await store.add(record("a", { limits }), change("add"));
    await store.add(record("b"), change("add"));
    assert.deepEqual((await store.find("a"))?.limits, limits);
    assert.equal(await store.limitedCount(), 1);
    const start = await store.changedSince(0);
    assert.deepEqual([start.changed, start.limited], [[], [{ name: "a", limits, unread: [] }]]);

    await store.change("b", { disabled: true }, change("disable"));
    const after = await store.change("b", { limits: { subscriptionsMax: 5 } }, change("limit"));
    assert.deepEqual([after?.version, after?.limits], [2, { subscriptionsMax: 5 }]);
    const gone = { messages: null, points: null, sessionsMax: null, retainedMax: null };
    await store.change("a", { limits: gone }, change("limit"));
    assert.equal((await store.find("a"))?.version, 1);
    const news = await store.changesAfter(start.sequence);
    assert.deepEqual(news.changed, [{ name: "b", version: 2 }]);
    assert.deepEqual(news.limited.toSorted((x, y) => x.name < y.name ? -1 : 1), [
      { name: "a", limits: {}, unread: [] },
      { name: "b", limits: { subscriptionsMax: 5 }, unread: [] },
    ]);

    await store.remove("b", change("delete"));
    const deleted = await store.changesAfter(news.sequence);
    assert.deepEqual(deleted.limited, [{ name: "b", limits: {}, unread: [] }]);
    assert.equal(await store.limitedCount(), 0);
    const [last] = await store.audit({ limit: 1, before: news.sequence + 1 });
    assert.deepEqual([last?.action, last?.target, last?.version], ["limit", "a", 1]);
  },
  "an account that is not there cannot be changed": async (store) => {
    assert.equal(await store.change("a", { disabled: true }, change("disable")), undefined);
    assert.deepEqual(await store.audit({ limit: 10 }), []);
  },
  "an account that is deleted leaves its name, its history and its versions": async (store) => {
    assert.equal(await store.remove("a", change("delete")), false);
    await store.add(record("a"), change("add"));
    await store.change("a", { disabled: true }, change("disable"));
    const { sequence } = await store.changesAfter(0);
    assert.equal(await store.remove("a", change("delete", 2_000)), true);
    assert.equal(await store.find("a"), undefined);
    assert.deepEqual((await store.changesAfter(sequence)).changed, [{ name: "a", version: 3 }]);
    // What the old account was issued is older than the new account.
    assert.equal(await store.add(record("a", { kind: "person" }), change("add", 3_000)), 4);
    assert.deepEqual(await store.find("a"), {
      ...record("a", { kind: "person" }),
      version: 4,
      createdMs: 3_000,
      changedMs: 3_000,
    });
    assert.deepEqual((await store.changedSince(3_000)).changed, [{ name: "a", version: 4 }]);
    const log = await store.audit({ limit: 10 });
    assert.deepEqual(log.map(({ action, version }) => `${action} ${version}`), [
      "add 4",
      "delete 3",
      "disable 2",
      "add 1",
    ]);
  },
  "changes are found by time and by place in the log": async (store) => {
    assert.deepEqual(await store.changedSince(0), { sequence: 0, changed: [], limited: [] });
    for (const name of ["a", "b"]) await store.add(record(name), change("add", 1_000));
    await store.change("a", { disabled: true }, change("disable", 2_000));
    const start = await store.changedSince(1_500);
    assert.deepEqual(start.changed, [{ name: "a", version: 2 }]);
    assert.deepEqual((await store.changedSince(2_500)).changed, []);
    assert.deepEqual(await store.changesAfter(start.sequence), {
      sequence: start.sequence,
      changed: [],
      limited: [],
    });
    await store.change("a", { disabled: false }, change("enable", 3_000));
    await store.change("b", { read: [] }, change("grant", 3_000));
    await store.change("b", { read: ["x"] }, change("grant", 3_000));
    await store.add(record("c"), change("add", 3_000));
    const { sequence, changed } = await store.changesAfter(start.sequence);
    assert.equal(sequence, start.sequence + 4);
    assert.deepEqual(changed.toSorted((x, y) => x.name < y.name ? -1 : 1), [
      { name: "a", version: 3 },
      { name: "b", version: 3 },
    ]);
  },
  "changes at once are all made, each once": async (store) => {
    await store.add(record("a"), change("add"));
    const ends = await Promise.all(
      Array.from({ length: 8 }, () => store.change("a", { disabled: true }, change("disable"))),
    );
    const versions = ends.map((account) => account?.version ?? 0).toSorted((x, y) => x - y);
    assert.deepEqual(versions, [2, 3, 4, 5, 6, 7, 8, 9]);
    const added = await Promise.all(
      Array.from({ length: 8 }, () => store.add(record("b"), change("add"))),
    );
    assert.equal(added.filter((one) => one === 1).length, 1);
  },
  "limits that are changed at once are all there, whoever was first": async (store) => {
    await store.add(record("a", { limits: { points: "1:1" } }), change("add"));
    const orders = [{ messages: "2:1" }, { points: null }, { sessionsMax: 3 }, { retainedMax: 4 }];
    await Promise.all(orders.map((limits) => store.change("a", { limits }, change("limit"))));
    const expected = { messages: "2:1", sessionsMax: 3, retainedMax: 4 };
    assert.deepEqual((await store.find("a"))?.limits, expected);
  },
  "the last admin who is not disabled stays one": async (store) => {
    const roles = ["admin"] as const;
    const admin = (name: string, disabled = false) =>
      store.add(record(name, { roles, disabled }), change("add"));
    await admin("a");
    await admin("off", true);
    await store.add(record("device"), change("add"));
    const isLast = (name: string) => ({
      name: "LastAdminError",
      message: new RegExp(`^"${name}" is the last admin .* make another`),
    });
    const losses = [
      (name: string) => store.change(name, { disabled: true }, change("disable")),
      (name: string) => store.change(name, { roles: ["operator"] }, change("grant")),
      (name: string) => store.remove(name, change("delete")),
    ];
    const before = await store.find("a");
    for (const loss of losses) await assert.rejects(loss("a"), isLast("a"));
    assert.deepEqual(await store.find("a"), before);
    assert.equal((await store.audit({ limit: 10 })).length, 3);
    await store.change("a", { read: [] }, change("grant"));
    for (const loss of losses) await loss("device");
    assert.equal(await store.remove("off", change("delete")), true);
    assert.equal(await store.remove("nobody", change("delete")), false);
    for (const [i, loss] of losses.entries()) {
      const other = `b${i}`;
      await admin(other);
      const ends = await Promise.allSettled([loss("a"), loss(other)]);
      assert.deepEqual(ends.map(({ status }) => status).toSorted(), ["fulfilled", "rejected"]);
      if (ends[0]!.status === "rejected") continue;
      await store.remove("a", change("delete"));
      await admin("a");
      await loss(other);
    }
  },
  "roles are found": async (store) => {
    await store.add(record("a", { roles: ["device", "admin"] }), change("add"));
    assert.equal(await store.hasRole("admin"), true);
    assert.equal(await store.hasRole("reader"), false);
  },
  "instances are those that were seen": async (store) => {
    await store.announce({ url: "mqtts://a", load: 0.5, seenMs: 1_000 });
    await store.announce({ url: "mqtts://b", load: 0.25, seenMs: 2_000 });
    await store.announce({ url: "mqtts://b", load: 0.75, seenMs: 3_000 });
    assert.deepEqual(await store.instances(2_000), [
      { url: "mqtts://b", load: 0.75, seenMs: 3_000 },
    ]);
    assert.equal((await store.instances(0)).length, 2);
  },
};
