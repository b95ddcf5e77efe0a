import assert from "node:assert/strict";
import { ManualClock } from "../../../runtime/clock.ts";
import { BufferBudget } from "../../mqtt/endpoint/read_buffer.ts";
import { MemoryConnection, settle } from "../../mqtt/endpoint/testing.ts";
import { headBytesMax } from "./request_progress.ts";
import { type ServerConnection, Visit } from "./visit.ts";

/** A connection that the test sends on, to a server that the test is. */
function visiting() {
  const client = new MemoryConnection();
  const connection = new MemoryConnection();
  const server: ServerConnection = {
    localAddr: { port: 1 },
    read: (into) => connection.read(into),
    write: (bytes) => connection.write(bytes),
    closeWrite: () => connection.closeWrite(),
    close: () => connection.close(),
  };
  const visit = new Visit({ connection: client, peer: "10.0.0.1:5", connectedMs: 0 }, {
    clock: new ManualClock(),
    budget: new BufferBudget(1 << 20),
    headTimeoutMs: 5_000,
    idleTimeoutMs: 75_000,
    dial: () => Promise.resolve(server),
    dialed: () => {},
    left: () => {},
    ending: () => assert.fail("no reason to end it"),
    ended: () => {},
  });
  visit.start();
  return {
    visit,
    say: (text: string) => client.feed(new TextEncoder().encode(text)),
    /** Bytes that have come to the server since the last call. */
    came: async () => {
      let count = 0;
      for (let more = -1; more !== 0; count += more) {
        await settle();
        more = connection.sentBytes().length;
      }
      return count;
    },
  };
}

Deno.test("of a head no more is passed on than it may have, however much was read at once", async () => {
  const { visit, say, came } = visiting();
  say("x".repeat(headBytesMax + 4_000));
  assert.equal(await came(), headBytesMax);
  visit.began();
  assert.equal(await came(), 4_000, "it was the body");
  visit.completed();
  say("x".repeat(100_000));
  assert.equal(await came(), headBytesMax);
  visit.end();
});

Deno.test("a connection is not taken over while something was read behind the head", async () => {
  const rest = "GET / HTTP/1.1\r\nX: \r\n\r\n";
  const head = rest.replace("X: ", `X: ${"x".repeat(headBytesMax - rest.length)}`);
  for (const behind of ["", "more"]) {
    const { visit, say, came } = visiting();
    say(head + behind);
    assert.equal(await came(), headBytesMax);
    visit.began();
    const taken = visit.takeOver();
    assert.equal(taken === undefined, behind !== "");
    assert.equal(await came(), behind.length);
    if (taken === undefined) visit.end();
    else taken.close();
  }
});
