/**
 * Tells Workers what accounts may do now, whether anybody is logged in or not.
 *
 * @module
 */
import { AccountsAwayError } from "../gateways/auth/accounts_away.ts";
import type { AccountStore } from "../gateways/auth/account_store.ts";
import { permissionsOf } from "../gateways/auth/permissions.ts";
import { logger } from "../gateways/log/log.ts";
import type { ActorRef, TellResult } from "../runtime/actor.ts";
import { type Standing, type StandingsAsk, standingsName } from "./account_messages.ts";

const log = logger("accounts");

/** Of a reply: with every character at its longest, three bytes, it is below what a Worker takes. */
const replyCharsMax = 256 * 1024;

/** See the module. */
export class AccountStandings implements ActorRef<StandingsAsk> {
  readonly path = standingsName;
  readonly #store: Pick<AccountStore, "find">;
  readonly #failed: (cause: unknown) => void;

  constructor(store: Pick<AccountStore, "find">, failed: (cause: unknown) => void) {
    this.#store = store;
    this.#failed = failed;
  }

  tell({ names, replyTo }: StandingsAsk): TellResult {
    this.#standings(names).then((standings) => replyTo.tell({ standings })).catch((cause) => {
      log.error("what accounts may do cannot be told", { accounts: names.length, cause });
      replyTo.tell({ standings: undefined });
    });
    return "accepted";
  }

  /**
   * Leaves out an account that cannot be read or is too large, and those for which there is no room.
   * Never rejects.
   */
  async #standings(names: readonly string[]): Promise<readonly Standing[] | undefined> {
    const standings: Standing[] = [];
    let room = replyCharsMax;
    for (const name of names) {
      try {
        const account = await this.#store.find(name);
        const gone = account === undefined || account.disabled;
        const standing = { name, permissions: gone ? undefined : permissionsOf(account) };
        const chars = JSON.stringify(standing).length;
        if (chars > replyCharsMax) {
          log.error("what an account may do is too much to be told; shorten its lists", {
            account: name,
            chars,
            max: replyCharsMax,
          });
          continue;
        }
        if (chars > room) break; // The others are asked for again.
        room -= chars;
        standings.push(standing);
      } catch (cause) {
        this.#failed(cause);
        if (cause instanceof AccountsAwayError) return undefined;
      }
    }
    return standings.length === 0 && names.length > 0 ? undefined : standings;
  }
}
