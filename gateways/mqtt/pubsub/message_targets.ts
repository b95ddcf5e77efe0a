/**
 * The shards that a message goes to: each has it once, whatever it is for there.
 *
 * @module
 */
import type { SharedOut, ShareTurn } from "./shared_out.ts";

interface Target {
  /** For those who do not share. */
  direct: boolean;
  readonly shares: ShareTurn[];
}

/** See the module. */
export class MessageTargets {
  /** Where a share goes that is to be written down. */
  readonly out: SharedOut[] = [];
  readonly #byShard = new Map<number, Target>();

  direct(shard: number): void {
    this.#of(shard).direct = true;
  }

  share(shard: number, { name, turn }: ShareTurn): void {
    this.#of(shard).shares.push({ name, turn });
  }

  [Symbol.iterator](): Iterator<readonly [shard: number, target: Readonly<Target>]> {
    return this.#byShard.entries();
  }

  #of(shard: number): Target {
    let known = this.#byShard.get(shard);
    if (known === undefined) this.#byShard.set(shard, known = { direct: false, shares: [] });
    return known;
  }
}
