/**
 * What `verify` asks of a store: samples of one field, of all devices, as they come.
 *
 * @module
 */
import type { SeriesPattern } from "../load_model.ts";

/** Samples of one series, ordered by time. Reused: valid until the next is asked for. */
export interface SampleBlock {
  readonly device: number;
  /** Names the series within the store. */
  readonly series: string;
  readonly count: number;
  /** ns since the run's origin: exact for 104 days on either side. */
  readonly timesNs: ArrayLike<number>;
  readonly values: ArrayLike<number>;
}

export interface SampleRequest {
  /** The payload's key. */
  readonly key: string;
  readonly pattern: SeriesPattern;
  /** ms since the epoch, both included. */
  readonly fromMs: number;
  readonly toMs: number;
  /** What times are counted from, ms since the epoch. */
  readonly originMs: number;
  /** Device tag → number; other devices are left out. */
  readonly deviceOfTag: ReadonlyMap<string, number>;
  /** The devices' ids in Sluice, by number. */
  readonly deviceIds: readonly string[];
}

/** A store to be verified. */
export interface SampleStore {
  /** Kind and address, without secrets. */
  readonly name: string;
  /** The store cuts times down to multiples of this. */
  readonly precisionNs: number;
  /** Throws a `CommandError` when the store cannot be asked. */
  samples(request: SampleRequest): AsyncIterable<SampleBlock>;
}
