/**
 * What is known of devices whose code took their shard down, kept for the next process when the
 * service has to end for that. A service that is stopped keeps nothing: then somebody looked.
 *
 * @module
 */
import { logger } from "../gateways/log/log.ts";
import type { CodeSuspects, Strikes } from "./code_suspects.ts";

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
    const strikes: Record<string, number> = {};
    for (const shard of suspects) {
      for (const [device, count] of Object.entries(shard.strikes)) {
        strikes[device] = Math.max(count, strikes[device] ?? 0);
      }
    }
    try {
      Deno.writeTextFileSync(this.#path, JSON.stringify(strikes), { mode: 0o600 });
    } catch (cause) {
      log.error("cannot write whose code took shards down; it will be run again", {
        file: this.#path,
        cause,
      });
    }
  }

  remove(): void {
    try {
      Deno.removeSync(this.#path);
    } catch (cause) {
      if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    }
  }
}

const isStrikes = (value: unknown): value is Strikes =>
  typeof value === "object" && value !== null && !Array.isArray(value) &&
  Object.values(value).every((strikes) => Number.isInteger(strikes));
