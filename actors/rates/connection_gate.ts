/**
 * Whether a connection is let in: how often may be connected, in all and from one address, and how
 * many connections one address may have, over all Workers.
 *
 * @module
 */
import { parseRate } from "./rate_limit.ts";
import { rateKey } from "./rate_key.ts";
import { RateTable, rateTableBytes, rateTableMemory } from "./rate_table.ts";
import { SharedCounts, sharedCountsBytes, sharedCountsMemory } from "./shared_counts.ts";

/** As in the configuration; rates as text. */
export interface ConnectionSpecs {
  readonly rate: string | undefined;
  readonly ratePerAddress: string | undefined;
  readonly perAddressMax: number | undefined;
}

/** Why a connection is not let in. */
export const gateReasons = ["rate", "address_rate", "address_max"] as const;
export type GateReason = typeof gateReasons[number];

/** What all Workers share. */
export interface GateMemory {
  readonly seed: number;
  readonly all: SharedArrayBuffer | undefined;
  readonly addresses: SharedArrayBuffer | undefined;
  readonly counts: SharedArrayBuffer | undefined;
}

/** One key has all connections. */
const allKey = 1;
const allEntries = 16;

const partsOf = (text: string): number => parseRate(text).length;

/** Bytes of {@linkcode gateMemory}. */
export function gateBytes(specs: ConnectionSpecs, workers: number): number {
  const { rate, ratePerAddress, perAddressMax } = specs;
  return (rate === undefined ? 0 : rateTableBytes(partsOf(rate), allEntries)) +
    (ratePerAddress === undefined ? 0 : rateTableBytes(partsOf(ratePerAddress))) +
    (perAddressMax === undefined ? 0 : sharedCountsBytes(workers));
}

export function gateMemory(specs: ConnectionSpecs, workers: number, seed: number): GateMemory {
  const { rate, ratePerAddress, perAddressMax } = specs;
  return {
    seed,
    all: rate === undefined ? undefined : rateTableMemory(partsOf(rate), allEntries),
    addresses: ratePerAddress === undefined ? undefined : rateTableMemory(partsOf(ratePerAddress)),
    counts: perAddressMax === undefined ? undefined : sharedCountsMemory(workers),
  };
}

export interface GateOptions {
  readonly memory: GateMemory;
  readonly specs: ConnectionSpecs;
  /** Number of this Worker. */
  readonly worker: number;
  /** A time that is the same in all Workers, ms. */
  readonly sharedMs: () => number;
}

/** See the module. What was let in is to be told when it has {@linkcode ConnectionGate.left}. */
export class ConnectionGate {
  readonly refused: Record<GateReason, number> = { rate: 0, address_rate: 0, address_max: 0 };
  readonly #options: GateOptions;
  readonly #all: RateTable | undefined;
  readonly #addresses: RateTable | undefined;
  readonly #counts: SharedCounts | undefined;

  constructor(options: GateOptions) {
    const { memory: { all, addresses, counts }, specs, worker } = options;
    this.#options = options;
    if (all && specs.rate !== undefined) this.#all = new RateTable(all, parseRate(specs.rate));
    if (addresses && specs.ratePerAddress !== undefined) {
      this.#addresses = new RateTable(addresses, parseRate(specs.ratePerAddress));
    }
    if (counts) this.#counts = new SharedCounts(counts, worker);
  }

  /** Whether any connection may be refused. */
  get limits(): boolean {
    return this.#all !== undefined || this.#addresses !== undefined || this.#counts !== undefined;
  }

  /** Lets a connection in, or says why not. An address that is over its limits spends nothing. */
  enter(address: string): GateReason | undefined {
    if (!this.limits) return undefined;
    const { sharedMs, specs } = this.#options;
    const nowMs = sharedMs();
    const key = this.#keyOf(address);
    if (this.#counts && this.#counts.of(key) >= (specs.perAddressMax ?? Infinity)) {
      return this.#refuse("address_max");
    }
    if (this.#addresses && this.#addresses.take(key, nowMs) > 0) {
      return this.#refuse("address_rate");
    }
    if (this.#all && this.#all.take(allKey, nowMs) > 0) {
      this.#addresses?.giveBack(key, nowMs);
      return this.#refuse("rate");
    }
    this.#counts?.add(key);
    return undefined;
  }

  left(address: string): void {
    this.#counts?.remove(this.#keyOf(address));
  }

  #keyOf(address: string): number {
    return rateKey(address, this.#options.memory.seed);
  }

  #refuse(reason: GateReason): GateReason {
    this.refused[reason]++;
    return reason;
  }
}
