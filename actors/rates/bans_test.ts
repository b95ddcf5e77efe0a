import assert from "node:assert/strict";
import { type Ban, type BanClient, banKey } from "./ban.ts";
import { BanList, parseBan } from "./ban_list.ts";
import { Bans, bansMemory, type FlappingSpecs } from "./bans.ts";

const nobody: BanClient = { account: "", clientId: "", address: "" };

function service(specs: Partial<FlappingSpecs>) {
  const all = {
    client: undefined,
    account: undefined,
    address: undefined,
    banMs: 60_000,
    ...specs,
  };
  const memory = bansMemory(all, 7);
  const time = { ms: 1_000_000 };
  const forgotten: Ban[] = [];
  const list = new BanList({
    memory,
    now: () => time.ms,
    changed() {},
    forgotten: (ban) => forgotten.push(ban),
  });
  const worker = () =>
    new Bans({
      memory,
      specs: all,
      now: () => time.ms,
      sharedMs: () => time.ms,
      onBanned: (ban) => list.add(parseBan(structuredClone(ban))),
    });
  return { time, list, forgotten, a: worker(), b: worker() };
}

Deno.test("a client whose connections end too often is banned in all Workers, for a time", () => {
  const { time, list, a, b } = service({ client: "4:60" });
  const client = { account: "UPB", clientId: "c1", address: "10.0.0.1" };
  for (const worker of [a, b, a, b]) worker.ended(client);
  assert.equal(a.untilMs(client), 0, "as often as it may");
  b.ended(client);
  assert.equal(a.untilMs(client), time.ms + 60_000);
  assert.equal(a.untilMs({ ...client, account: "" }), 0, "ids of accounts are their own");
  assert.equal(a.untilMs({ ...client, clientId: "c2" }), 0);
  assert.deepEqual(list.current.map(({ key, reason }) => [key, reason]), [
    ["client:UPB:c1", "flapping"],
  ]);
  assert.equal(b.made.client, 1);
  time.ms += 60_000;
  assert.equal(a.untilMs(client), 0);
  assert.deepEqual(list.current, []);
});

Deno.test("accounts and addresses have rates of their own; who has no name has no ban", () => {
  const { a } = service({ account: "2:60", address: "3:60" });
  for (let i = 0; i < 9; i++) a.ended({ ...nobody, clientId: `c${i}` });
  assert.equal(a.untilMs({ ...nobody, clientId: "c1" }), 0);
  for (let i = 0; i < 3; i++) a.ended({ account: "x", clientId: `c${i}`, address: "10.0.0.1" });
  assert.ok(a.untilMs({ ...nobody, account: "x" }) > 0);
  assert.equal(a.untilMs({ ...nobody, address: "10.0.0.1" }), 0);
  a.ended({ account: "y", clientId: "d", address: "10.0.0.1" });
  assert.ok(a.untilMs({ ...nobody, address: "10.0.0.1" }) > 0);
  assert.deepEqual(a.made, { client: 0, account: 1, address: 1 });
});

Deno.test("a ban by hand holds at once, until it is lifted", () => {
  const { list, a } = service({});
  const client = { ...nobody, address: "10.0.0.9" };
  const order = { subject: "address", client, forMs: 1_000, reason: "scans", by: "admin" } as const;
  const ban = list.order(order);
  assert.ok(a.untilMs(client) > 0);
  assert.equal(list.lift("address:10.0.0.8"), false);
  assert.equal(list.lift(ban.key), true);
  assert.equal(a.untilMs(client), 0);
  assert.throws(() => list.order({ ...order, client: nobody }), /the address has no name/);
});

Deno.test("the list is bounded: the ban that ends first makes room, and holds no more", () => {
  const { list, forgotten, a } = service({});
  for (let i = 0; i <= 4_096; i++) {
    const client = { ...nobody, address: `a${i}` };
    list.order({ subject: "address", client, forMs: 9_000 - i, reason: "", by: "admin" });
  }
  assert.equal(list.current.length, 4_096);
  assert.deepEqual(forgotten.map(({ key }) => key), ["address:a4096"]);
  assert.equal(a.untilMs({ ...nobody, address: "a4096" }), 0);
  assert.ok(a.untilMs({ ...nobody, address: "a0" }) > 0);
});

Deno.test("no two clients have one key", () => {
  const one = banKey("client", { ...nobody, account: "a:b", clientId: "c" });
  const other = banKey("client", { ...nobody, account: "a", clientId: "b:c" });
  assert.equal(one, "client:a%3Ab:c");
  assert.notEqual(one, other);
});

Deno.test("what is no ban is not read as one", () => {
  const ban: Ban = { key: "account:x", subject: "account", reason: "", sinceMs: 1, untilMs: 2 };
  assert.deepEqual(parseBan({ ...ban, more: 1 }), ban);
  for (const wrong of [null, {}, { ...ban, subject: "x" }, { ...ban, untilMs: "1" }]) {
    assert.throws(() => parseBan(wrong), TypeError);
  }
});
