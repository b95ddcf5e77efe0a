/** A client comes back while a shard sweeps away what was left. */
import assert from "node:assert/strict";
import { KeptFile } from "./kept_file.ts";
import { KeptClient, publish, withFile } from "./testing.ts";

const request = { key: "k", account: "", clean: false, expiryS: 100, willDelayS: 5 };
const will = Uint8Array.of(1);

async function inFile(run: (file: KeptFile) => void): Promise<void> {
  const directory = await Deno.makeTempDir();
  const file = new KeptFile({ file: `${directory}/sessions.db`, busyMs: 20 }, () => {});
  try {
    run(file);
  } finally {
    file.close();
    await Deno.remove(directory, { recursive: true });
  }
}

/** A session that was left at 0 ms. */
function left({ lives }: KeptFile): number {
  const claimed = lives.claim({ ...request, will }, 0, 10, 0);
  assert.ok(claimed !== "full");
  const { id, epoch } = claimed;
  assert.equal(lives.detach({ id, epoch, sent: 0, expiryS: 100, will: "later" }, 0), true);
  return id;
}

Deno.test("its time was up when it was looked for, and its client is back: it stays", () =>
  inFile((file) => {
    const { lives, records } = file;
    const id = left(file);
    lives.willSent(id);
    assert.deepEqual(lives.expired(100_000, 1, 0), [id]);
    lives.claim({ ...request, will }, 1, 10, 99_999);
    assert.deepEqual(lives.end([id], 100_000), []);
    assert.equal(records.session(id)?.holder, 1);
    assert.deepEqual(lives.end([id]), []);
    assert.equal(records.session(id), undefined);
  }));

Deno.test("its will was due when it was looked for, and its client is back with another: that stays", () =>
  inFile((file) => {
    const { lives } = file;
    const id = left(file);
    assert.equal(lives.dueWills(5_000, 1, 0).length, 1);
    const claimed = lives.claim({ ...request, will: Uint8Array.of(2) }, 1, 10, 4_999);
    assert.ok(claimed !== "full");
    lives.willSent(id);
    const { epoch } = claimed;
    lives.detach({ id, epoch, sent: 0, expiryS: 100, will: "later" }, 6_000);
    assert.deepEqual(lives.dueWills(11_000, 1, 0).map(({ will }) => [...will]), [[2]]);
  }));

Deno.test("a shard starts while the file is locked: its predecessor's clients are away once it is free", async () => {
  await withFile(async (file, pair) => {
    const before = await KeptClient.connect(pair, pair.shards[1]!);
    await before.subscribe("a", 1);
    file.exec("BEGIN IMMEDIATE");
    pair.restart(1);
    file.exec("ROLLBACK");
    for (const shard of pair.shards) {
      shard.kept!.sweep(() => true);
      shard.flush();
    }
    pair.carry();
    assert.deepEqual(pair.shards.map(({ kept }) => kept!.disconnected), [1, 1]);
    const rows = file.prepare("SELECT holder, expires_ms FROM session").all();
    assert.deepEqual({ ...rows[0] }, { holder: null, expires_ms: pair.clock.now() + 100_000 });
    assert.equal(publish(pair, pair.shards[1]!, "1", 1), true);
    assert.deepEqual((await KeptClient.connect(pair, pair.shards[1]!)).payloads(), ["1"]);
  });
});

Deno.test("a shard of a new process can begin late only: what came elsewhere meanwhile is not taken for older", () =>
  withFile(async (file, pair) => {
    const [here, there] = [pair.shards[0]!, 1];
    file.exec("BEGIN IMMEDIATE");
    pair.restart(there);
    file.exec("ROLLBACK");
    const publisher = await KeptClient.connect(pair, here);
    publisher.attachment.published(7);
    assert.equal(here.flush(), true);
    pair.shards[there]!.kept!.sweep(() => true);
    const { epoch } = publisher.attachment;
    assert.deepEqual({ ...file.prepare("SELECT epoch FROM incoming").get() }, { epoch });
  }, { first: true }).then((faults) => assert.ok(faults.length > 0)));

Deno.test("sessions with long queues are over: they end one after the other, sweep by sweep", () =>
  withFile(async (file, pair) => {
    for (const key of ["1", "2", "3"]) {
      (await KeptClient.connect(pair, pair.shards[0]!, { key })).leave();
    }
    file.exec("UPDATE session SET count = 10000; UPDATE total SET count = 30000");
    pair.clock.advance(101_000);
    const ids = () => file.prepare("SELECT id FROM session ORDER BY id").all().map(({ id }) => id);
    const ended = pair.shards[1]!; // Of 1 and 3.
    ended.kept!.sweep(() => true);
    assert.deepEqual(ids(), [2, 3]);
    ended.kept!.sweep(() => true);
    assert.deepEqual(ids(), [2]);
    assert.equal(ended.stats.sessionsExpired, 2);
  }).then((faults) => assert.deepEqual(faults, [])));
