/**
 * Shards whose mail is carried by hand, for tests.
 *
 * @module
 */
import { ManualClock } from "../../../../runtime/clock.ts";
import { FrameEncoder } from "../../../../runtime/frame_encoder.ts";
import type { PeerMail } from "../peer_mail.ts";
import type { PubSub } from "../pubsub.ts";
import type { PubSubOptions } from "../pubsub_options.ts";
import { memoryPubSub, MemoryRetained } from "./memory_pubsub.ts";

/** See the module. */
export class ShardPair {
  readonly clock: ManualClock;
  readonly retained = new MemoryRetained();
  readonly shards: PubSub[];
  /** Mail on its way, with the shard it goes to. */
  mail: { readonly to: number; readonly mail: PeerMail }[] = [];
  /** Mail that is taken before the link is full. */
  credit = Infinity;
  readonly #overrides: Partial<PubSubOptions>;

  /** `startMs`: where the clock begins. */
  constructor(count = 2, overrides: Partial<PubSubOptions> = {}, startMs?: number) {
    this.clock = new ManualClock(startMs);
    this.#overrides = overrides;
    this.shards = Array.from({ length: count }, (_, shard) => this.#start(shard));
    for (let from = 0; from < count; from++) {
      for (let to = 0; to < count; to++) if (from !== to) this.link(from, to);
    }
    this.carry();
  }

  /** A shard dies, with all that it had not written, and another one takes its place. */
  restart(shard: number): void {
    this.mail = this.mail.filter(({ to }) => to !== shard);
    for (const [other, pubsub] of this.shards.entries()) if (other !== shard) pubsub.lost(shard);
    this.shards[shard] = this.#start(shard);
    for (const other of this.shards.keys()) {
      if (other === shard) continue;
      this.link(shard, other);
      this.link(other, shard);
    }
    this.carry();
  }

  link(from: number, to: number): void {
    this.shards[from]!.linked(to, {
      hasRoom: () => true,
      tell: (mail) => {
        if (this.credit === 0) return "full";
        this.credit--;
        new FrameEncoder().add(to, mail); // Throws where a link does.
        this.mail.push({ to, mail });
        return "accepted";
      },
    });
  }

  /** Carries all mail, and what comes of it. */
  carry(): void {
    for (let next = this.mail.shift(); next !== undefined; next = this.mail.shift()) {
      this.shards[next.to]!.received(next.mail);
    }
  }

  #start(shard: number): PubSub {
    const { clock, retained } = this;
    return memoryPubSub(clock, { shard, retained, ...this.#overrides }).pubsub;
  }
}
