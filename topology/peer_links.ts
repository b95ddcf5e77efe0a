/**
 * The lanes to all other shards: a {@linkcode PeerLink} each.
 *
 * @module
 */
import type { SentBatch } from "../actors/lane.ts";
import type { AckLevel } from "../actors/readings_frame.ts";
import type { Link } from "../runtime/remote_link.ts";
import { PeerLink, type PeerLinkOptions } from "./peer_link.ts";

/** What is done with what a shard sends. */
export type PeerHandlers = Omit<PeerLinkOptions, "shard" | "hub">;

/** See the module. */
export class PeerLinks {
  readonly #links = new Map<number, PeerLink>();

  /** To every shard below `shards` but `own`. */
  constructor(
    shards: number,
    own: number | undefined,
    hub: PeerLinkOptions["hub"],
    handlersOf: (shard: number) => PeerHandlers,
  ) {
    for (let shard = 0; shard < shards; shard++) {
      if (shard === own) continue;
      hub.ownerLost(shard); // Until its link is there.
      this.#links.set(shard, new PeerLink({ shard, hub, ...handlersOf(shard) }));
    }
  }

  /** A shard is there, for the first time or anew. */
  linked(shard: number, link: Link): void {
    this.#links.get(shard)?.linked(link);
  }

  /** Sends a batch to the shard that owns it. */
  transmit(owner: number, ackLevel: AckLevel, batch: SentBatch): void {
    this.#links.get(owner)?.transmit(ackLevel, batch);
  }
}
