/** A session is claimed, and the shard that has its connection cannot read what became of it. */
import assert from "node:assert/strict";
import { KeptClient, publish, withFile } from "./testing.ts";

for (const table of ["subscription", "session"]) {
  Deno.test(`it is claimed, and its ${table} cannot be read where its connection is: that one ends`, async () => {
    await withFile(async (file, pair) => {
      const [here, there] = [pair.shards[0]!, pair.shards[1]!];
      const before = await KeptClient.connect(pair, here);
      await before.subscribe("a", 1);
      // Between the claim and its confirmation.
      const after = await KeptClient.connect(pair, there, {}, undefined, () => {
        file.exec(`ALTER TABLE ${table} RENAME TO away`);
        pair.carry();
        file.exec(`ALTER TABLE away RENAME TO ${table}`);
      });
      const isEvicted = table === "subscription";
      assert.deepEqual(
        [before.evicted, before.unreadable],
        isEvicted ? [true, false] : [undefined, true],
      );
      assert.equal(publish(pair, here, "1", 1), true);
      // It leaves the session that is not its own any more, and where that is is known then.
      if (!isEvicted) before.leave();
      assert.deepEqual([before.payloads(), after.payloads()], [[], ["1"]]);
      assert.equal(there.kept!.disconnected, 0);
      for (const shard of pair.shards) shard.kept!.sweep(() => true);
      assert.equal(publish(pair, here, "2", 1), true);
      assert.deepEqual(after.payloads(), ["2"]);
    });
  });
}
