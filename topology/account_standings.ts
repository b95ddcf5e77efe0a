/**
 * Tells Workers what accounts may do now, whether anybody is logged in or not.
 *
 * @module
 */
import { AccountsAwayError } from "../gateways/auth/accounts_away.ts";
import type { AccountStore } from "../gateways/auth/account_store.ts";
import { permissionsOf } from "../gateways/auth/permissions.ts";
import type { ActorRef, TellResult } from "../runtime/actor.ts";
import { type Standing, type StandingsAsk, standingsName } from "./account_messages.ts";

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
    this.#standings(names).then((standings) => replyTo.tell({ standings }));
    return "accepted";
  }

  /** Leaves out an account that cannot be read. Never rejects. */
  async #standings(names: readonly string[]): Promise<readonly Standing[] | undefined> {
    const standings: Standing[] = [];
    for (const name of names) {
      try {
        const account = await this.#store.find(name);
        const gone = account === undefined || account.disabled;
        standings.push({ name, permissions: gone ? undefined : permissionsOf(account) });
      } catch (cause) {
        this.#failed(cause);
        if (cause instanceof AccountsAwayError) return undefined;
      }
    }
    return standings.length === 0 && names.length > 0 ? undefined : standings;
  }
}
