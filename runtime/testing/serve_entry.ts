/**
 * The entry of the Workers in worker_fleet_test.ts: a program that echoes, forwards to its peers,
 * and goes wrong on demand.
 *
 * @module
 */
import type { ActorRef } from "../actor.ts";
import type { Link } from "../remote_link.ts";
import { serveWorker } from "../worker_serve.ts";

/** What the Worker can be asked to do. */
export type Order =
  | { readonly kind: "echo"; readonly value: unknown; readonly replyTo: ActorRef<unknown> }
  | { readonly kind: "via"; readonly peer: string; readonly order: Order }
  | { readonly kind: "peers"; readonly replyTo: ActorRef<unknown> }
  | { readonly kind: "throw" }
  | { readonly kind: "reject" }
  | { readonly kind: "spin" }
  | { readonly kind: "exit" };

/** Not for ever: Deno does not end a thread that spins, and the tests' process would not end. */
function spinFor(ms: number): void {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
}

serveWorker((boot) => {
  const peers = new Map<string, Link>();
  const buffers: number[] = [];
  if (boot.init === "refuse") throw new Error("told to refuse");
  boot.names.publish<Order>("orders", {
    path: `${boot.id}/orders`,
    tell(order) {
      switch (order.kind) {
        case "echo":
          return order.replyTo.tell({
            from: boot.id,
            incarnation: boot.incarnation,
            value: order.value,
          });
        case "via":
          return peers.get(order.peer)?.ref<Order>("orders").tell(order.order) ?? "stopped";
        case "peers":
          return order.replyTo.tell([...peers.keys()].toSorted());
        case "throw":
          setTimeout(() => {
            throw new Error("told to throw");
          });
          return "accepted";
        case "reject":
          Promise.reject(new Error("told to reject"));
          return "accepted";
        case "spin":
          spinFor(2_000);
          return "accepted";
        case "exit":
          Deno.exit(0);
      }
    },
  }, (message) => message as Order);
  return {
    linked(link) {
      peers.set(link.peer, link);
      link.open({
        buffer: (bytes) => {
          buffers.push(bytes.length);
          link.post({ settled: bytes.length });
        },
        lost: () => peers.delete(link.peer),
      });
    },
    async stop() {
      await Promise.resolve();
    },
  };
}, self);
