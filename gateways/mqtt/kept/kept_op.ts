/**
 * What is to be changed in the file of kept sessions by what passes.
 *
 * @module
 */
import type { Delivery, Message } from "../pubsub/message.ts";
import type { SharedOut } from "../pubsub/shared_out.ts";
import type { ShareMove } from "./kept_shares.ts";

/** For whom a message is, and how it gets it. */
export interface QueueTarget {
  readonly session: number;
  readonly delivery: Delivery;
}

export type CommitOp =
  | {
    readonly kind: "queue";
    readonly message: Message;
    readonly targets: readonly QueueTarget[];
  }
  /** The handshake of an outgoing message is through. */
  | { readonly kind: "done"; readonly session: number; readonly n: number }
  /** PUBREC came: the message is not needed any more, its identifier is. */
  | { readonly kind: "released"; readonly session: number; readonly n: number }
  /** A QoS 2 message of the client is sent on: the one of this number in this connection. */
  | {
    readonly kind: "received";
    readonly session: number;
    readonly packetId: number;
    readonly epoch: number;
    readonly n: number;
  }
  /** Where that one went among those who share a subscription. */
  | {
    readonly kind: "shared";
    readonly session: number;
    readonly packetId: number;
    readonly shares: readonly SharedOut[];
  }
  /** Somewhere else than where it went then. */
  | ({ readonly kind: "moved" } & ShareMove)
  /** Its PUBREC is due; its PUBREL came. */
  | {
    readonly kind: "settled" | "forgotten";
    readonly session: number;
    readonly packetId: number;
  }
  /** All that came by this connection was sent on. */
  | { readonly kind: "sent_on"; readonly session: number; readonly epoch: number }
  /** Retained messages up to this topic are in the queue; `undefined`: all of them. */
  | {
    readonly kind: "fed";
    readonly session: number;
    readonly name: string;
    readonly after: string | undefined;
  }
  /** Messages below this number were sent. */
  | { readonly kind: "sent"; readonly session: number; readonly n: number };
