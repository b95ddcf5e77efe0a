/**
 * Shards whose mail is carried by hand, for tests.
 *
 * @module
 */
import { ManualClock } from "../../../../runtime/clock.ts";
import type { PeerMail } from "../peer_mail.ts";
import type { PubSub, PubSubOptions } from "../pubsub.ts";
import { memoryPubSub, MemoryRetained } from "./memory_pubsub.ts";

/** See the module. */
export class ShardPair {
  readonly clock = new ManualClock();
  readonly retained = new MemoryRetained();
  readonly shards: readonly PubSub[];
  /** Mail on its way, with the shard it goes to. */
  mail: { readonly to: number; readonly mail: PeerMail }[] = [];
  /** Mail that is taken before the link is full. */
  credit = Infinity;

  constructor(count = 2, overrides: Partial<PubSubOptions> = {}) {
    const { clock, retained } = this;
    this.shards = Array.from(
      { length: count },
      (_, shard) => memoryPubSub(clock, { shard, retained, ...overrides }).pubsub,
    );
    for (let from = 0; from < count; from++) {
      for (let to = 0; to < count; to++) if (from !== to) this.link(from, to);
    }
    this.carry();
  }

  link(from: number, to: number): void {
    this.shards[from]!.linked(to, {
      hasRoom: () => true,
      tell: (mail) => {
        if (this.credit === 0) return "full";
        this.credit--;
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
}
