import assert from "node:assert/strict";
import fc from "fast-check";
import { FirstCopies } from "./first_copies.ts";
import { imbalance } from "./ledger.ts";
import { CommitGroup } from "./spool/commit_group.ts";
import { Client, offer, OwnerPath } from "./testing/owner_path.ts";

Deno.test("what is waited for is forgotten with the store's yes", () => {
  const copies = new FirstCopies();
  const group = new CommitGroup();
  copies.add(group, 1, 2);
  copies.add(group, 2, 2);
  copies.add(group, 0, 0);
  assert.equal(copies.size, 2);
  const { stored } = group;
  group.reset();
  copies.add(group, 2, 2);
  let completed = 0;
  assert.equal(copies.follow(9, 9, { complete: () => completed++ }), false);
  assert.equal(copies.follow(1, 2, { complete: () => completed++ }), true);
  for (const completion of stored) completion.complete();
  assert.deepEqual([completed, copies.size], [1, 1]);
  for (const completion of group.stored) completion.complete();
  assert.equal(copies.size, 0);
});

for (
  const { ack, afterSync } of [{ ack: "stored", afterSync: 0 }, { ack: "spooled", afterSync: 2 }]
) {
  Deno.test(`a reading that comes again is settled with its first copy: ${ack}`, async () => {
    const path = new OwnerPath({ ack: ack === "stored" ? "stored" : "spooled" });
    const client = new Client();
    offer(path, client, 0, "UPB/RPi_1", '{"BAT":99}');
    path.hub.flush();
    await path.walk();
    const store = path.sync();
    offer(path, client, 1, "UPB/RPi_1", '{"BAT":99}', { packetId: 1 });
    path.hub.flush();
    await path.walk();
    assert.equal(path.ledger.books().duplicate, 1);
    path.commit();
    assert.equal(client.settledAs.size, afterSync);
    store();
    assert.deepEqual([...client.settledAs.keys()].sort(), [0, 1]);
  });
}

Deno.test("whatever comes again whenever, nothing is settled before its first copy is stored, and all is in the end", async () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("send"), device: fc.nat(2) }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("again"), of: fc.nat() }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("walk"), turns: fc.nat(2) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("sync") }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("store"), of: fc.nat() }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60, size: "max" }), async (steps) => {
      const path = new OwnerPath({ ack: "stored", deviceMailMax: 2 });
      const client = new Client();
      const sent: { readonly topic: string; readonly payload: string; readonly first: number }[] =
        [];
      /** Commit groups that the store does not have, with the readings that are in each. */
      let owed: { readonly lines: string; readonly store: () => void }[] = [];
      const stored = new Set<string>();
      const sync = () => {
        const { lines } = path.group;
        const text = new TextDecoder().decode(lines.bytes.subarray(0, lines.length));
        owed.push({ lines: text, store: path.sync() });
      };
      const store = (group: (typeof owed)[number]) => {
        owed = owed.filter((other) => other !== group);
        for (const [, value] of group.lines.matchAll(/value=(\d+)/g)) stored.add(value!);
        group.store();
      };
      const check = () => {
        for (const sequence of client.settledAs.keys()) {
          assert.ok(stored.has(String(sent[sequence]!.first)), `${sequence} was settled too early`);
        }
      };
      for (const [at, now] of steps.entries()) {
        const sequence = sent.length;
        if ("device" in now) {
          const payload = `{"value":${sequence}}`;
          sent.push({ topic: `UPB/${now.device}`, payload, first: sequence });
          assert.equal(offer(path, client, sequence, sent[sequence]!.topic, payload), "accepted");
        } else if (now.kind === "again" && sequence > 0 && "of" in now) {
          const again = sent[now.of % sequence]!;
          sent.push(again);
          const repeats = { packetId: again.first + 1 };
          offer(path, client, sequence, again.topic, again.payload, repeats);
        } else if ("turns" in now) {
          path.hub.flush();
          for (let turn = 0; turn < now.turns; turn++) path.system.run();
        } else if (now.kind === "sync") sync();
        else if (owed.length > 0) store(owed[(at * 7) % owed.length]!);
        path.system.clock.advance(3);
        check();
      }
      for (let rounds = 0; client.settledAs.size < sent.length; rounds++) {
        assert.ok(rounds < 100, "some are never settled");
        path.hub.flush();
        await path.walk();
        path.system.clock.advance(100);
        sync();
        for (const group of owed) store(group);
        check();
      }
      assert.equal(imbalance(path.ledger.books()), 0);
    }),
    { numRuns: 40, seed: 3 },
  );
});
