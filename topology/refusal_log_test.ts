import assert from "node:assert/strict";
import { startLog } from "../gateways/log/log.ts";
import { refusalLog } from "./refusal_log.ts";

const bytes = new TextEncoder().encode("<a/b/c>");
const offer = {
  bytes,
  topicStart: 1,
  topicEnd: bytes.length - 1,
  payloadStart: 0,
  payloadEnd: 0,
  packetId: 0,
  flags: 0,
  sequence: 0,
};

Deno.test("a topic whose messages are not stored is told once, and each to the data flow", () => {
  let out = "";
  const log = startLog({ level: "info", format: "text", write: (line) => out += line });
  const told: string[] = [];
  const tap = { decoded() {}, coded() {}, nothing: (topic: string) => told.push(topic) };
  refusalLog(undefined)(offer, "no_route", true);
  refusalLog(undefined)(offer, "no_route", false);
  refusalLog(tap)(offer, "no_route", false);
  log.close();
  assert.match(
    out,
    /^\S+ INFO {4}readings: messages of a topic are not stored {2}topic=a\/b\/c reason=no_route\n$/,
  );
  assert.deepEqual(told, ["a/b/c"]);
});
