/**
 * A Worker that stands in for a shard in the tests of the store's Workers: writes what it is told
 * to, or breaks the link to the store.
 *
 * @module
 */
import type { ActorRef } from "../../../runtime/actor.ts";
import type { Link } from "../../../runtime/remote_link.ts";
import { serveWorker } from "../../../runtime/worker_serve.ts";
import { EmbeddedSink } from "../embedded_sink.ts";
import { batchOf } from "./batches.ts";

declare const self: DedicatedWorkerGlobalScope;

/** What the Worker can be asked: to write a line of the device `d`, or to break the link. */
export interface Order {
  readonly line: string | undefined;
  readonly replyTo: ActorRef<unknown>;
}

function parseOrder(message: unknown): Order {
  if (
    typeof message !== "object" || message === null || !("replyTo" in message) ||
    !isRef(message.replyTo)
  ) throw new TypeError("Cannot read the order");
  const line = "line" in message && typeof message.line === "string" ? message.line : undefined;
  return { line, replyTo: message.replyTo };
}

function isRef(value: unknown): value is ActorRef<unknown> {
  return typeof value === "object" && value !== null && "tell" in value;
}

serveWorker(({ names }) => {
  const sink = new EmbeddedSink();
  let store: Link | undefined;
  names.publish<Order>("orders", {
    path: "writing/orders",
    tell({ line, replyTo }) {
      if (line === undefined) return store?.transfer(new ArrayBuffer(4)) ?? "stopped";
      sink.write([batchOf([["d", line]])], new AbortController().signal)
        .then((result) => replyTo.tell(result));
      return "accepted";
    },
  }, parseOrder);
  return {
    linked(link) {
      if (link.peer !== "store") return;
      store = link;
      sink.attach(link);
    },
    stop: () => sink.close(),
  };
}, self);
