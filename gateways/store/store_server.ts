/**
 * The embedded store's side of its links: takes frames of points from the shards, one after the
 * other, and answers each when it is on the disk; between them it deletes what is too old.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import type { PointBatch, SinkResult } from "../../actors/sink.ts";
import type { Clock, Timer } from "../../runtime/clock.ts";
import { diskRoom } from "./disk_room.ts";
import type { StoreLink } from "./embedded_sink.ts";
import { PieceJoiner } from "./pieces.ts";
import { unpackBatches } from "./point_frame.ts";
import { PointWriter } from "./point_writer.ts";
import { Retention, type RetentionLimits } from "./retention.ts";
import { SeriesIndex } from "./series_index.ts";
import { openForWriting } from "./store_database.ts";
import { StoreRoom } from "./store_room.ts";

/** What a {@linkcode StoreServer} needs. */
export interface StoreOptions {
  /** The file. */
  readonly path: string;
  /** What SQLite may keep of it in memory. */
  readonly cacheBytes?: number;
  /** Devices whose series are kept at hand; up to twice as many for a while. */
  readonly devicesMax?: number;
  readonly retention: RetentionLimits;
  readonly clock: Clock;
  /** Bytes that are free on the file's disk; `undefined` where that cannot be told. */
  readonly freeBytes?: () => number | undefined;
  /** Deleting failed; it is tried again, and told of once until it is done again. */
  readonly retentionFailed: (cause: unknown) => void;
}

/** How long deleting may hold up writing at a time, and how it rests between. */
const sliceMs = 20;
const busyPauseMs = 20;
const idlePauseMs = 10_000;

/** Owns the file: there is one per data directory. */
export class StoreServer {
  readonly #options: StoreOptions;
  readonly #database: DatabaseSync;
  readonly #writer: PointWriter;
  readonly #retention: Retention;
  readonly #room: StoreRoom;
  #timer: Timer | undefined;
  #sweepFails = false;

  /** Opens or creates the file. Throws when that cannot be. */
  constructor(options: StoreOptions) {
    this.#options = options;
    this.#database = openForWriting(options.path, options.cacheBytes);
    const { path, freeBytes = () => diskRoom(path)?.bytes } = options;
    this.#room = new StoreRoom(this.#database, path, freeBytes);
    const index = new SeriesIndex(this.#database, options.devicesMax);
    this.#writer = new PointWriter(this.#database, index);
    this.#retention = new Retention(this.#database, index, options.retention, options.clock);
    if (this.#retention.limited) this.#sweepIn(idlePauseMs);
  }

  /** Serves the writer at the other end of `link`. */
  serve(link: StoreLink): void {
    const joiner = new PieceJoiner();
    link.open({
      buffer: (piece) => {
        const whole = joiner.add(piece);
        if (whole === undefined) return;
        const result = this.#write(unpackBatches(whole.frame));
        // "stopped": the shard is gone, and writes it again when it is back. A link has room for
        // far more answers than a writer has writes under way.
        if (link.post({ id: whole.id, result }) === "full") {
          throw new Error("a shard leaves the answers of the store unread");
        }
      },
    });
  }

  /** Leaves one file behind where it can: what stands in the WAL is moved into it first. */
  close(): void {
    this.#timer?.clear();
    try {
      this.#database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    } catch { // The disk is full or fails: it stays where it is, for the next start.
    }
    this.#database.close();
  }

  #write(batches: readonly PointBatch[]): SinkResult {
    const bytes = batches.reduce((sum, { lines }) => sum + lines.length, 0);
    const lacks = this.#room.lacks(bytes);
    if (lacks !== undefined) return { kind: "retry", reason: `the embedded store: ${lacks}` };
    const result = this.#writer.write(batches);
    this.#room.keep();
    return result;
  }

  #sweepIn(delayMs: number): void {
    this.#timer = this.#options.clock.setTimer(delayMs, () => {
      let isBusy = false;
      try {
        isBusy = this.#retention.sweep(sliceMs);
        this.#room.keep();
        this.#sweepFails = false;
      } catch (cause) {
        if (!this.#sweepFails) this.#options.retentionFailed(cause);
        this.#sweepFails = true;
      }
      this.#sweepIn(isBusy ? busyPauseMs : idlePauseMs);
    });
  }
}
