/**
 * Bans in one Worker: who may not connect, and who is banned for connecting and ending again and
 * again (flapping).
 *
 * @module
 */
import { type Ban, type BanClient, banKey, type BanSubject, banSubjects } from "./ban.ts";
import { BanTable, banTableBytes, banTableMemory } from "./ban_table.ts";
import { parseRate } from "./rate_limit.ts";
import { rateKey } from "./rate_key.ts";
import { RateTable, rateTableBytes, rateTableMemory } from "./rate_table.ts";

/** As in the configuration: how often connections may end, as text, or no ban. */
export type FlappingSpecs =
  & Readonly<Record<BanSubject, string | undefined>>
  & { readonly banMs: number };

/** What all Workers share. */
export interface BansMemory {
  readonly seed: number;
  readonly bans: SharedArrayBuffer;
  readonly flaps: Readonly<Partial<Record<BanSubject, SharedArrayBuffer>>>;
}

/** Bytes of {@linkcode bansMemory}. */
export function bansBytes(specs: FlappingSpecs): number {
  return banSubjects.reduce((sum, subject) => {
    const rate = specs[subject];
    return rate === undefined ? sum : sum + rateTableBytes(parseRate(rate).length);
  }, banTableBytes);
}

/** `seed` is random, 32 bits. */
export function bansMemory(specs: FlappingSpecs, seed: number): BansMemory {
  const flaps: Partial<Record<BanSubject, SharedArrayBuffer>> = {};
  for (const subject of banSubjects) {
    const rate = specs[subject];
    if (rate !== undefined) flaps[subject] = rateTableMemory(parseRate(rate).length);
  }
  return { seed, bans: banTableMemory(), flaps };
}

export interface BansOptions {
  readonly memory: BansMemory;
  readonly specs: FlappingSpecs;
  /** Wall time, ms. */
  readonly now: () => number;
  /** A time that is the same in all Workers, ms; never 0. */
  readonly sharedMs: () => number;
  /** Somebody was banned here. */
  readonly onBanned: (ban: Ban) => void;
}

/** See the module. */
export class Bans {
  /** Bans that were made here, and connections that one was in the way of. */
  readonly made: Record<BanSubject, number> = { client: 0, account: 0, address: 0 };
  refused = 0;
  readonly #options: BansOptions;
  readonly #table: BanTable;
  readonly #flaps: readonly (readonly [BanSubject, RateTable])[];

  constructor(options: BansOptions) {
    const { memory: { bans, flaps }, specs } = options;
    this.#options = options;
    this.#table = new BanTable(bans);
    this.#flaps = banSubjects.flatMap((subject) => {
      const table = flaps[subject];
      const rate = specs[subject];
      if (table === undefined || rate === undefined) return [];
      return [[subject, new RateTable(table, parseRate(rate))] as const];
    });
  }

  /** Whether anybody is banned for flapping. */
  get counting(): boolean {
    return this.#flaps.length > 0;
  }

  /** Another one after every ban. */
  get version(): number {
    return this.#table.version;
  }

  /** Resolves when the version is another one. */
  changed(version: number): Promise<void> {
    return this.#table.changed(version);
  }

  /** When the client may come again, wall time in ms; 0: it is not banned. */
  untilMs(client: BanClient): number {
    if (this.#table.version === 0) return 0;
    const nowMs = this.#options.now();
    let untilMs = 0;
    for (const subject of banSubjects) {
      const key = banKey(subject, client);
      if (key === undefined) continue;
      untilMs = Math.max(untilMs, this.#table.untilMs(this.#keyOf(key), nowMs));
    }
    return untilMs;
  }

  /** A connection of the client has ended: once too often, and it is banned. */
  ended(client: BanClient): void {
    const { specs, now, sharedMs, onBanned } = this.#options;
    for (const [subject, rate] of this.#flaps) {
      const key = banKey(subject, client);
      if (key === undefined || rate.take(this.#keyOf(key), sharedMs()) === 0) continue;
      const sinceMs = now();
      const untilMs = sinceMs + specs.banMs;
      this.#table.set(this.#keyOf(key), untilMs);
      this.made[subject]++;
      onBanned({ key, subject, reason: "flapping", sinceMs, untilMs });
    }
  }

  #keyOf(key: string): number {
    return rateKey(key, this.#options.memory.seed);
  }
}
