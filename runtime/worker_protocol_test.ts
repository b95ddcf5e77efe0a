import assert from "node:assert/strict";
import { parseHostMessage, parseWorkerMessage } from "./worker_protocol.ts";

const noMessage: readonly unknown[] = [
  null,
  undefined,
  1,
  "ready",
  [],
  {},
  { kind: "toString" },
  { kind: "link", peer: 1 },
  { kind: "link", peer: "b", port: {} },
  { kind: "unlink", peer: "b" },
  { kind: "boot", id: "a", incarnation: 0, heartbeatMs: 1 },
  { kind: "failed", failure: { name: "Error", message: 1, atMs: 0 } },
];

Deno.test("what is no message is refused at either side", () => {
  for (const value of noMessage) {
    assert.throws(() => parseHostMessage(value), TypeError);
    assert.throws(() => parseWorkerMessage(value), TypeError);
  }
});

Deno.test("every message comes through, and nothing beside it", () => {
  const { port1: port, port2 } = new MessageChannel();
  const init = { shards: 2 };
  for (
    const message of [
      { kind: "boot", id: "a", incarnation: 1, heartbeatMs: 250, init, port },
      { kind: "link", peer: "b", port },
      { kind: "unlink", peer: "b", reason: "crashed" },
      { kind: "stop" },
    ]
  ) assert.deepEqual(parseHostMessage({ ...message, more: 1 }), message);
  const failure = { name: "Error", message: "m", atMs: 5 };
  for (
    const message of [
      { kind: "loaded" },
      { kind: "ready" },
      { kind: "heartbeat" },
      { kind: "stopped" },
      { kind: "failed", failure },
      { kind: "failed", failure: { ...failure, stack: "at" } },
    ]
  ) assert.deepEqual(parseWorkerMessage({ ...message, more: 1 }), message);
  port.close();
  port2.close();
});
