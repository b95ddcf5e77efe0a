import assert from "node:assert/strict";
import fc from "fast-check";
import { unawaited } from "./intake.ts";
import { imbalance } from "./ledger.ts";
import { Client, offer, OwnerPath } from "./testing/owner_path.ts";

Deno.test("a reading is settled only after its group is committed, whatever became of it", async () => {
  const path = new OwnerPath();
  const client = new Client();
  offer(path, client, 0, "UPB/RPi_1", '{"BAT":99,"timestamp":1574729660}');
  offer(path, client, 1, "UPB/RPi_1", "not json");
  offer(path, client, 2, "UPB/RPi_1", '{"BAT":true}');
  offer(path, client, 3, "UPB/RPi_1", '{"BAT":99,"timestamp":1574729660}');
  path.hub.flush();
  await path.walk();
  assert.equal(client.settledAs.size, 0);
  assert.equal(path.group.count, 1);
  assert.ok(path.commitsAsked.includes("now"));
  path.commit();
  assert.deepEqual([...client.settledAs], [
    [0, "taken"],
    [1, "malformed_json"],
    [2, "no_fields"],
    [3, "taken"],
  ]);
  assert.deepEqual(path.letters.map(({ topic, reason }) => [topic, reason]), [
    ["UPB/RPi_1", "malformed_json"],
  ]);
  assert.equal(path.ledger.books().duplicate, 1);
  assert.equal(imbalance(path.ledger.books()), 0);
});

Deno.test("a commit that nobody waits for need not be now, unless much has gathered", async () => {
  const path = new OwnerPath();
  const client = new Client();
  offer(path, client, unawaited, "UPB/RPi_1", '{"BAT":1}');
  path.hub.flush();
  await path.walk();
  assert.equal(path.group.count, 1);
  assert.ok(path.commitsAsked.length > 0 && !path.commitsAsked.includes("now"));
  path.group.lines.append(new Uint8Array(256 * 1024));
  offer(path, client, unawaited, "UPB/RPi_1", '{"BAT":2}');
  path.hub.flush();
  await path.walk();
  assert.ok(path.commitsAsked.includes("now"));
});

Deno.test("without a route, or on a topic of the server, a reading is refused on the spot and counted", () => {
  const path = new OwnerPath();
  const client = new Client();
  const reasons = ["UPB", "$weather/mine"].map((topic, i) => {
    const result = offer(path, client, i, topic, '{"name":"mine","temperature":1}');
    return typeof result === "object" && result.reason;
  });
  assert.deepEqual(reasons, ["no_route", "topic_reserved"]);
  assert.equal(path.ledger.books().refused, 2);
  assert.equal(imbalance(path.ledger.books()), 0);
});

Deno.test("a payload that is too large is a dead letter, with its beginning", async () => {
  const path = new OwnerPath();
  const client = new Client();
  const payload = `{"x":1,"s":"${"a".repeat(100_000)}"}`;
  assert.equal(offer(path, client, 0, "UPB/RPi_1", payload), "accepted");
  assert.equal(offer(path, client, 1, "UPB/RPi_1", " ".repeat(993) + '{"x":1}'), "accepted");
  path.hub.flush();
  await path.walk();
  path.commit();
  assert.deepEqual([...client.settledAs], [[0, "payload_too_large"], [1, "taken"]]);
  assert.deepEqual(path.letters.map(({ payload }) => new TextDecoder().decode(payload)), [
    payload.slice(0, 1_001),
  ]);
  assert.equal(imbalance(path.ledger.books()), 0);
});

Deno.test("a device whose mailbox is full holds up the walk, and nothing is lost", async () => {
  const path = new OwnerPath({ deviceMailMax: 3 });
  const client = new Client();
  for (let i = 0; i < 50; i++) {
    assert.equal(offer(path, client, i, "UPB/RPi_1", `{"BAT":${i}}`), "accepted");
  }
  path.hub.flush();
  await path.walk();
  path.commit();
  assert.equal(client.settledAs.size, 50);
  assert.equal(path.ledger.books().stored, 50);
});

Deno.test("a group gathers no more than it may while it waits for the disk, whatever the lines take", async () => {
  const path = new OwnerPath({ linesBytesMax: 64 * 1024 });
  const client = new Client();
  const location = "L".repeat(1_000);
  const fields = Array.from({ length: 100 }, (_, i) => `"${i}":1`).join(",");
  for (let i = 0; i < 200; i++) offer(path, client, i, `${location}/s${i}`, `{${fields}}`);
  path.hub.flush();
  const readingBytes = 250 * 1024; // 100 lines of two times the location.
  for (let commits = 0; client.settledAs.size < 200; commits++) {
    assert.ok(commits < 300);
    await path.walk();
    assert.ok(path.group.count > 0);
    assert.ok(path.group.lines.length < 64 * 1024 + readingBytes);
    path.commit();
    path.system.clock.advance(100);
  }
  assert.equal(path.ledger.books().stored, 200);
});

Deno.test("acknowledged when stored: each group that holds a part of the batch must be stored", async () => {
  const path = new OwnerPath({ deviceMailMax: 3, ack: "stored" });
  const client = new Client();
  for (let i = 0; i < 5; i++) offer(path, client, i, "UPB/RPi_1", `{"BAT":${i}}`);
  path.hub.flush();
  // Commit part of the batch before the rest was walked.
  path.system.run();
  const first = [...path.group.stored];
  assert.ok(path.group.count > 0 && path.group.count < 5);
  const early = path.group.count;
  path.group.reset();
  path.ledger.spooled(early);
  await path.walk();
  path.commit();
  assert.equal(client.settledAs.size, 0, "the first group is not stored yet");
  path.ledger.stored(early);
  for (const completion of first) completion.complete();
  assert.equal(client.settledAs.size, 5);
});

Deno.test("whatever is offered in whatever order, every accepted reading is settled once and the books balance", async () => {
  const payload = fc.constantFrom(
    '{"BAT":1}',
    '{"BAT":1,"timestamp":5}',
    "nonsense",
    '{"BAT":null}',
    "[1]",
    "",
    '{"timestamp":"never","BAT":1}',
  );
  const topic = fc.constantFrom(
    "UPB/RPi_1",
    "UPB/Zeus",
    "Dorinel/Zeus",
    "UPB",
    "device/x",
    "a/b/position",
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(topic, payload), { maxLength: 60 }),
      fc.integer({ min: 1, max: 4 }),
      async (offers, deviceMailMax) => {
        const path = new OwnerPath({ deviceMailMax, laneBytes: 4_000 });
        const client = new Client();
        let accepted = 0;
        for (const [index, [t, p]] of offers.entries()) {
          let result = offer(path, client, index, t, p);
          if (result === "full") {
            path.hub.flush();
            await path.walk();
            path.commit();
            result = offer(path, client, index, t, p);
          }
          if (result === "accepted") accepted++;
          assert.notEqual(result, "full");
        }
        path.hub.flush();
        await path.walk();
        path.commit();
        assert.equal(client.settledAs.size, accepted);
        assert.equal(path.hub.usedBytes, 0);
        const books = path.ledger.books();
        assert.equal(imbalance(books), 0);
        assert.equal(books.inFlight, 0);
      },
    ),
    { numRuns: 50 },
  );
});
