import assert from "node:assert/strict";
import { PubSubStats } from "../pubsub/pubsub_stats.ts";
import { KeptEnds } from "./kept_ends.ts";
import { KeptFile } from "./kept_file.ts";
import { encodeWill } from "./will_record.ts";

const topic = "w";
const will = encodeWill({
  topic,
  payload: new Uint8Array(),
  qos: 0,
  retain: false,
  properties: {},
});

/** One shard over a file; `left` is a session that was left at 0 ms, for 100 s, its will due at 5 s. */
async function inFile(run: (world: World) => void): Promise<void> {
  const directory = await Deno.makeTempDir();
  const file = new KeptFile({ file: `${directory}/sessions.db`, busyMs: 20 }, () => {});
  const { lives } = file;
  const stats = new PubSubStats();
  const reread: number[] = [];
  const disk = { fails: false };
  const ends = new KeptEnds({
    shard: 0,
    shards: 1,
    stats,
    store: { use: (run) => disk.fails ? undefined : run(file) },
    reread: (id) => reread.push(id),
  });
  const left = (key: string, will?: Uint8Array): number => {
    const request = { key, account: "", clean: false, expiryS: 100, will, willDelayS: 5 };
    const claimed = lives.claim(request, 0, 100, 0);
    assert.ok(claimed !== "full");
    const { id, epoch } = claimed;
    lives.detach({ id, epoch, sent: 0, expiryS: 100, will: "later" }, 0);
    return id;
  };
  const there = () => file.records.ids.length;
  try {
    run({ ends, stats, reread, disk, left, there });
  } finally {
    file.close();
    await Deno.remove(directory, { recursive: true });
  }
}

interface World {
  readonly ends: KeptEnds;
  readonly stats: PubSubStats;
  readonly reread: number[];
  readonly disk: { fails: boolean };
  left(key: string, will?: Uint8Array): number;
  /** How many sessions there are. */
  there(): number;
}

Deno.test("a will goes out when it is due, once, and is tried again while it cannot be kept", () =>
  inFile(({ ends, left }) => {
    left("k", will);
    const sent: string[] = [];
    const send = (nowMs: number, isKept: boolean) =>
      ends.sendWills(nowMs, ({ topic }, key) => sent.push(`${key} ${topic}`) > 0 && isKept);
    send(4_999, true);
    assert.deepEqual(sent, []);
    send(5_000, false);
    send(5_001, true);
    send(5_002, true);
    assert.deepEqual(sent, ["k w", "k w"]);
  }));

Deno.test("a will that cannot be read is counted, and keeps no other", () =>
  inFile(({ ends, stats, left }) => {
    left("damaged", Uint8Array.of(0x30, 0x7f));
    left("k", will);
    const sent: string[] = [];
    for (let i = 0; i < 2; i++) ends.sendWills(5_000, (_, key) => sent.push(key) > 0);
    assert.deepEqual([sent, stats.lost.damaged], [["k"], 1]);
  }));

Deno.test("sessions whose time is up end, and the other shards are told, once the file takes it", () =>
  inFile(({ ends, stats, reread, disk, left, there }) => {
    const ids = Array.from({ length: 25 }, (_, i) => left(`k${i}`));
    ends.expire(99_999);
    assert.deepEqual([there(), reread, stats.sessionsExpired], [25, [], 0]);
    disk.fails = true;
    ends.expire(100_000);
    assert.equal(ends.end(ids), false);
    assert.deepEqual([there(), stats.sessionsExpired], [25, 0]);
    disk.fails = false;
    reread.length = 0;
    ends.expire(100_000);
    assert.deepEqual([there(), reread, stats.sessionsExpired], [0, ids, 25]);
  }));
