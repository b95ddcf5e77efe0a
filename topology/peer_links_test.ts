import assert from "node:assert/strict";
import { DeadLetters } from "../runtime/dead_letters.ts";
import { eventLoopTurn } from "../runtime/event_loop_turn.ts";
import { Link } from "../runtime/remote_link.ts";
import { PublishedNames } from "../runtime/remote_names.ts";
import { PeerLinks } from "./peer_links.ts";

Deno.test("every shard but one's own is away until its link is there, and after it", async () => {
  const heard: string[] = [];
  const hub = {
    ownerLost: (shard: number) => void heard.push(`lost ${shard}`),
    ownerBack: (shard: number) => void heard.push(`back ${shard}`),
    settle() {},
  };
  const fail = (cause: unknown) => {
    throw cause;
  };
  const handlers: number[] = [];
  const peers = new PeerLinks(3, 1, hub, (shard) => {
    handlers.push(shard);
    return { ingest: fail, settled: fail, malformed: fail };
  });
  assert.deepEqual(handlers, [0, 2]);
  assert.deepEqual(heard.splice(0), ["lost 0", "lost 2"]);

  const { port1, port2 } = new MessageChannel();
  const options = { names: new PublishedNames(), deadLetters: new DeadLetters(), broken: fail };
  const near = new Link(port1, { ...options, peer: "shard-2" });
  const far = new Link(port2, { ...options, peer: "shard-1" });
  far.open({});
  peers.linked(2, near);
  peers.linked(1, near); // Nobody is linked with itself.
  assert.deepEqual(heard.splice(0), ["back 2"]);
  near.close("the shard died");
  far.close("the shard died");
  await eventLoopTurn();
  assert.deepEqual(heard, ["lost 2"]);
});

Deno.test("an edge that owns nothing has a link to every shard", () => {
  const lost: number[] = [];
  const hub = { ownerLost: (shard: number) => void lost.push(shard), ownerBack() {}, settle() {} };
  new PeerLinks(2, undefined, hub, () => ({ ingest() {}, settled() {}, malformed() {} }));
  assert.deepEqual(lost, [0, 1]);
});
