/**
 * Tells every shard what the topics below `$SYS` say, again and again.
 *
 * @module
 */
import type { ShardSnapshot } from "../actors/snapshot.ts";
import type { Clock, Timer } from "../runtime/clock.ts";
import type { HostedShard } from "./shard_handle.ts";
import { SystemValues } from "./system_values.ts";

export interface SystemAnnouncerParts {
  /** 0: never. */
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly service: { readonly version: string; readonly startedMs: number };
  readonly snapshot: () => Promise<readonly ShardSnapshot[]>;
  readonly shards: readonly Pick<HostedShard, "ask">[];
}

/** See the module. */
export class SystemAnnouncer {
  readonly #parts: SystemAnnouncerParts;
  readonly #values = new SystemValues();
  #timer: Timer | undefined;
  #ended = false;

  constructor(parts: SystemAnnouncerParts) {
    this.#parts = parts;
  }

  /** The first time at once. */
  start(): void {
    if (this.#parts.intervalMs > 0) this.#later(0);
  }

  stop(): void {
    this.#ended = true;
    this.#timer?.clear();
  }

  #later(delayMs: number): void {
    const { clock, intervalMs } = this.#parts;
    this.#timer = clock.setTimer(delayMs, async () => {
      await this.#announce();
      if (!this.#ended) this.#later(intervalMs);
    });
  }

  async #announce(): Promise<void> {
    const { clock, intervalMs, service, snapshot, shards } = this.#parts;
    const values = this.#values.of(await snapshot(), { ...service, nowMs: clock.now() });
    // A shard that does not answer now hears of it the next time.
    await Promise.allSettled(
      shards.map((shard) => shard.ask({ kind: "announce", values }, intervalMs)),
    );
  }
}
