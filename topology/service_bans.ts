/**
 * Bans in the main thread: hears of those that Workers make, keeps them over restarts, and makes
 * and lifts them by hand.
 *
 * @module
 */
import type { Ban } from "../actors/rates/ban.ts";
import { BanList, parseBan } from "../actors/rates/ban_list.ts";
import type { BansMemory } from "../actors/rates/bans.ts";
import { logger } from "../gateways/log/log.ts";
import type { ActorRef, TellResult } from "../runtime/actor.ts";
import type { WorkerBoot } from "../runtime/worker_serve.ts";
import { type Clock, systemClock, type Timer } from "../runtime/clock.ts";
import { replaceFile } from "../gateways/files/replace_file.ts";

const log = logger("limits");

/** Under which the main thread publishes who hears of bans. */
export const bansName = "bans";

/** How a Worker tells the main thread of a ban; false: it was not heard. */
export function banReporter({ host }: Pick<WorkerBoot, "host">): (ban: Ban) => boolean {
  return (ban) => host.ref<Ban>(bansName).tell(ban) === "accepted";
}

/** Changes gather for this long before they are written. */
const saveMs = 500;

/** See the module. */
export class ServiceBans implements ActorRef<Ban> {
  readonly path = bansName;
  readonly list: BanList;
  readonly #file: string;
  readonly #clock: Clock;
  #timer: Timer | undefined;

  /** `file` holds the bans as JSON; one that cannot be read is told of, and begun anew. */
  constructor(memory: BansMemory, file: string, clock: Clock = systemClock) {
    this.#file = file;
    this.#clock = clock;
    this.list = new BanList({
      memory,
      now: () => clock.now(),
      changed: () => this.#timer ??= clock.setTimer(saveMs, () => this.#save()),
      forgotten: ({ key, untilMs }) =>
        log.warn("a ban made room for another one", { key, until: new Date(untilMs) }),
    });
    this.#load();
  }

  /** A Worker has banned somebody. */
  tell(ban: Ban): TellResult {
    this.list.add(ban);
    return "accepted";
  }

  /** Writes what is not written. */
  stop(): void {
    if (this.#timer !== undefined) this.#save();
  }

  #load(): void {
    try {
      const saved: unknown = JSON.parse(Deno.readTextFileSync(this.#file));
      if (!Array.isArray(saved)) throw new TypeError("it holds no list");
      for (const ban of saved) this.list.add(parseBan(ban));
    } catch (cause) {
      if (cause instanceof Deno.errors.NotFound) return;
      log.error("cannot read the bans; there are none now", { file: this.#file, cause });
    }
  }

  #save(): void {
    this.#timer?.clear();
    this.#timer = undefined;
    try {
      replaceFile(this.#file, JSON.stringify(this.list.current));
    } catch (cause) {
      log.error("cannot write the bans; they end with this process", { file: this.#file, cause });
      this.#timer = this.#clock.setTimer(retryMs, () => this.#save());
    }
  }
}

/** A disk that is full may not be so later. */
const retryMs = 30_000;
