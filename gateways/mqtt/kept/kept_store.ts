/**
 * The file of kept sessions as a shard uses it: opened when it is needed, and its faults told.
 *
 * @module
 */
import type { PubSubStats } from "../pubsub/pubsub_stats.ts";
import { KeptFile } from "./kept_file.ts";
import type { KeptSettings } from "./kept_options.ts";

/** See the module. */
export class KeptStore {
  readonly #settings: Pick<KeptSettings, "file" | "busyMs" | "failed">;
  readonly #stats: PubSubStats;
  #file: KeptFile | undefined;

  constructor(settings: Pick<KeptSettings, "file" | "busyMs" | "failed">, stats: PubSubStats) {
    this.#settings = settings;
    this.#stats = stats;
  }

  /** `undefined`: it failed. When the file could not be opened that is tried again. */
  use<T>(run: (file: KeptFile) => T): T | undefined {
    try {
      return run(this.#file ??= new KeptFile(this.#settings, this.#givenUp));
    } catch (cause) {
      this.#stats.keptFailed++;
      this.#settings.failed(cause);
      return undefined;
    }
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  readonly #givenUp = (count: number): void => {
    this.#stats.lost.session_over += count;
  };
}
