/**
 * The file of kept sessions as a shard uses it: opened when it is needed, and its faults told.
 *
 * @module
 */
import { KeptFile } from "./kept_file.ts";
import type { GivenUp } from "./kept_left.ts";
import type { KeptSessionsOptions } from "./kept_options.ts";

type StoreOptions = Pick<
  KeptSessionsOptions,
  "file" | "busyMs" | "failed" | "clock" | "stats" | "left"
>;

/** The same fault is told of again after this long. */
const toldMs = 60_000;

/** See the module. */
export class KeptStore {
  readonly #options: StoreOptions;
  #file: KeptFile | undefined;
  /** The fault that was told of last, and when. */
  #told: { readonly words: string; readonly ms: number } | undefined;
  /** In the transaction that runs. */
  #givenUp: GivenUp[] = [];

  constructor(options: StoreOptions) {
    this.#options = options;
  }

  /** `undefined`: it failed. When the file could not be opened that is tried again. */
  use<T>(run: (file: KeptFile) => T): T | undefined {
    this.#givenUp = [];
    try {
      const file = this.#file ??= new KeptFile(this.#options, (what) => this.#givenUp.push(what));
      const result = run(file);
      for (const what of this.#givenUp) this.#ended(what);
      return result;
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

  #ended({ count, left }: GivenUp): void {
    this.#options.stats.lost.session_over += count - left.length;
    if (left.length > 0) this.#options.left(left);
  }
}
