/**
 * The mail between the shards' {@linkcode PubSub}s: one actor in each shard, which the others know
 * by name. It has no state of its own, so it may be started anew at any time.
 *
 * @module
 */
import type { Actor, ActorRef, Context, Signal } from "../../../runtime/actor.ts";
import type { PeerMail } from "./peer_mail.ts";
import type { PubSub } from "./pubsub.ts";

/** Under which a shard publishes its actor. */
export const pubsubName = "pubsub";

export type PubSubMail =
  | PeerMail
  /** Another shard is there, for the first time or anew. */
  | {
    readonly kind: "linked";
    readonly shard: number;
    readonly ref: ActorRef<PeerMail>;
    /** False while so much is under way that readings should go first. */
    readonly hasRoom: () => boolean;
  };

/** See the module. */
export class PubSubActor implements Actor<PubSubMail> {
  readonly #pubsub: PubSub;
  /** By shard. */
  readonly #refs: Map<number, ActorRef<PeerMail>>;

  /** `refs` outlives the actor. */
  constructor(pubsub: PubSub, refs: Map<number, ActorRef<PeerMail>>) {
    this.#pubsub = pubsub;
    this.#refs = refs;
  }

  started(context: Context<PubSubMail>): void {
    for (const ref of this.#refs.values()) context.watch(ref);
  }

  receive(mail: PubSubMail, context: Context<PubSubMail>): void {
    if (mail.kind !== "linked") return this.#pubsub.received(mail);
    const { shard, ref, hasRoom } = mail;
    this.#refs.set(shard, ref);
    context.watch(ref);
    this.#pubsub.linked(shard, { tell: (mail) => ref.tell(mail), hasRoom });
  }

  signal(signal: Signal): void {
    if (signal.kind !== "terminated") return;
    for (const [shard, ref] of this.#refs) {
      if (ref !== signal.ref) continue;
      this.#refs.delete(shard);
      this.#pubsub.lost(shard);
    }
  }
}
