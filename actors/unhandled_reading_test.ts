import assert from "node:assert/strict";
import type { DeadLetter } from "../runtime/dead_letters.ts";
import { OwnedBatch, OwnedReading } from "./owned_batch.ts";
import type { Reading } from "./reading.ts";
import { entryWord, FrameWriter } from "./readings_frame.ts";
import { compileRoutes } from "./route_table.ts";
import { TopicTable } from "./topic_table.ts";
import { unhandledReading } from "./unhandled_reading.ts";

/** What became of a reading; `undefined`: it was left to others. */
function fateOf(letter: Pick<DeadLetter, "message" | "reason" | "failure">): string | undefined {
  let fate: string | undefined;
  const dead = (_: Reading, reason: string, detail: string) => fate = `${reason}: ${detail}`;
  const isTaken = unhandledReading(letter, { dead });
  assert.equal(isTaken, fate !== undefined);
  return fate;
}

Deno.test("a reading whose device's actor fails, or takes none, is a dead letter that says why", () => {
  const bytes = new TextEncoder().encode("UPB/RPi_1{}");
  const topicBytes = bytes.length - 2;
  const topics = new TopicTable(compileRoutes([]), { gatewayId: "g", hashSeed: 7 });
  const entry = topics.lookup(bytes, 0, topicBytes);
  assert.ok(entry.kind === "topic");
  const frame = new FrameWriter();
  frame.add(bytes, 0, topicBytes, topicBytes, bytes.length, entryWord(0, 0, 0), 0);
  const batch = new OwnedBatch(0, 0, "spooled", frame, () => {});
  const message = new OwnedReading(batch, 0, entry);
  const failure = { name: "TypeError", message: "no such field", atMs: 0 };
  assert.equal(
    fateOf({ message, reason: "crashed", failure }),
    "actor_crashed: the device's actor failed: TypeError: no such field",
  );
  assert.equal(
    fateOf({ message, reason: "quarantined" }),
    "actor_quarantined: the device's actor is quarantined",
  );
  assert.equal(fateOf({ message: { kind: "drain" }, reason: "stopped" }), undefined);
});
