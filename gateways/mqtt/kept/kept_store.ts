/**
 * The file of kept sessions as a shard uses it: opened when it is needed, and its faults told.
 *
 * @module
 */
import { KeptFile } from "./kept_file.ts";
import type { KeptSessionsOptions } from "./kept_options.ts";

type StoreOptions = Pick<KeptSessionsOptions, "file" | "busyMs" | "failed" | "clock" | "stats">;

/** The same fault is told of again after this long. */
const toldMs = 60_000;

/** See the module. */
export class KeptStore {
  readonly #options: StoreOptions;
  #file: KeptFile | undefined;
  /** The fault that was told of last, and when. */
  #told: { readonly words: string; readonly ms: number } | undefined;

  constructor(options: StoreOptions) {
    this.#options = options;
  }

  /** `undefined`: it failed. When the file could not be opened that is tried again. */
  use<T>(run: (file: KeptFile) => T): T | undefined {
    try {
      return run(this.#file ??= new KeptFile(this.#options, this.#givenUp));
    } catch (cause) {
      this.#options.stats.keptFailed++;
      this.#tell(cause);
      return undefined;
    }
  }

  /** Damage stays, and every use of the file meets it. */
  #tell(cause: unknown): void {
    const words = String(cause);
    const ms = this.#options.clock.monotonic();
    if (this.#told?.words === words && ms - this.#told.ms < toldMs) return;
    this.#told = { words, ms };
    this.#options.failed(cause);
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  readonly #givenUp = (count: number): void => {
    this.#options.stats.lost.session_over += count;
  };
}
