/**
 * What the path of a reading asks of a store. A gateway implements {@linkcode Sink}; the writer
 * decides, by the answer alone, whether to go on, wait, split or bisect.
 *
 * @module
 */

/**
 * Encoded readings in the order they were taken: the unit of commit, of replay and of a write.
 * `lines` is line protocol, every line ended by `\n`; one reading may own several lines.
 */
export interface PointBatch {
  readonly lines: Uint8Array;
  /** How many readings the batch holds. */
  readonly count: number;
  /** Per reading: the offset in `lines` just past its last line. */
  readonly lineEnds: Uint32Array;
  /** Per reading: an index into `devices`. */
  readonly deviceOf: Uint32Array;
  readonly devices: readonly string[];
}

export type SinkResult =
  /** The store said yes to all of it. */
  | { readonly kind: "stored" }
  /** Not now: the network failed, or 408, 429, 5xx. `retryAfterMs` is the store's own wish. */
  | { readonly kind: "retry"; readonly reason: string; readonly retryAfterMs?: number }
  /** 413: send less at once. */
  | { readonly kind: "too_large"; readonly reason: string }
  /** The store refuses some of it (400, 422). `partial`: it has kept the rest. */
  | { readonly kind: "rejected"; readonly reason: string; readonly partial: boolean }
  /** 401, 403, 404: the configuration is wrong; retried slowly, reported as not ready. */
  | { readonly kind: "misconfigured"; readonly reason: string };

/** A store of points. Writing the same series, time and field twice is the same as once. */
export interface Sink {
  /** For logs and errors: kind and address, without secrets. */
  readonly name: string;
  /** Never rejects: every failure is a {@linkcode SinkResult}. */
  write(batches: readonly PointBatch[], signal: AbortSignal): Promise<SinkResult>;
  /** Asks whether the store is there. Never rejects. */
  probe(signal: AbortSignal): Promise<{ readonly ok: boolean; readonly reason?: string }>;
  /**
   * Calls `lost` when the store went away and came back though no write failed meanwhile, so that
   * the writer can replay what a volatile store may have forgotten. Absent: the store is durable.
   */
  watch?(lost: () => void): void;
  close(): Promise<void>;
}
