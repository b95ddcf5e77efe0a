/**
 * What is known of devices whose code took their shard down, kept for the next process when the
 * service has to end for that. A service that is stopped keeps nothing: then somebody looked.
 *
 * @module
 */
import { logger } from "../gateways/log/log.ts";
import type { CodeSuspects, Strikes } from "./code_suspects.ts";
import { replaceFile } from "../gateways/files/replace_file.ts";

const log = logger("service");

/** See the module. */
export class SuspectsFile {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Empty when there is none, or when it cannot be read, which is told. */
  read(): Strikes {
    try {
      const saved: unknown = JSON.parse(Deno.readTextFileSync(this.#path));
      if (isStrikes(saved)) return saved;
      throw new TypeError("it does not hold numbers by device");
    } catch (cause) {
      if (!(cause instanceof Deno.errors.NotFound)) {
        log.error("cannot read whose code took shards down; it is run again", {
          file: this.#path,
          cause,
        });
      }
      return {};
    }
  }

  write(suspects: readonly CodeSuspects[]): void {
    // A device may be called like what every object has: "constructor", "__proto__".
    const strikes = new Map<string, number>();
    for (const shard of suspects) {
      for (const [device, count] of Object.entries(shard.strikes)) {
        strikes.set(device, Math.max(count, strikes.get(device) ?? 0));
      }
    }
    try {
      replaceFile(this.#path, JSON.stringify(Object.fromEntries(strikes)));
    } catch (cause) {
      log.error("cannot write whose code took shards down; it will be run again", {
        file: this.#path,
        cause,
      });
    }
  }

  /** Never throws: the service ends whether or not it can be removed, which is told. */
  remove(): void {
    try {
      Deno.removeSync(this.#path);
    } catch (cause) {
      if (cause instanceof Deno.errors.NotFound) return;
      log.error("cannot forget whose code took shards down; it is not run after the next start", {
        file: this.#path,
        cause,
      });
    }
  }
}

const isStrikes = (value: unknown): value is Strikes =>
  typeof value === "object" && value !== null && !Array.isArray(value) &&
  Object.values(value).every((strikes) => Number.isInteger(strikes));
