/**
 * Accounts in a Worker: lets tokens in by itself, asks the main thread for the rest, and hears what
 * changes.
 *
 * @module
 */
import type { LimitedAccount } from "../actors/rates/account_limits.ts";
import {
  type AskAccounts,
  mqttAuthenticator,
  permitOf,
} from "../gateways/auth/mqtt_authenticator.ts";
import { TokenGate } from "../gateways/auth/token_gate.ts";
import type { Authenticate, SessionInfo } from "../gateways/mqtt/endpoint/endpoint_options.ts";
import type { AccountStanding } from "../gateways/mqtt/kept/kept_review.ts";
import type { ActorRef, TellResult } from "../runtime/actor.ts";
import { systemClock } from "../runtime/clock.ts";
import type { WorkerBoot } from "../runtime/worker_serve.ts";
import type { Guard } from "./guard.ts";
import {
  type AccountAsk,
  type AccountNews,
  accountNewsName,
  accountsName,
  type LimitsPage,
  parseAccountNews,
  parseAccountReply,
  parseStandingsReply,
  type StandingsAsk,
  standingsName,
} from "./account_messages.ts";

/** Longer than a full queue of passwords takes; a client's own patience is shorter. */
const askDeadlineMs = 30_000;
const standingsDeadlineMs = 10_000;

/** These accounts have; with `all`, any other may have while nobody looked. */
export interface AccountsChanged {
  readonly names: readonly string[];
  readonly all: boolean;
}

/** See the module. */
export class WorkerAccounts implements ActorRef<AccountNews> {
  readonly path = accountNewsName;
  readonly gate = new TokenGate();
  readonly authenticate: Authenticate;
  /** Asks the main thread. */
  readonly ask: AskAccounts;
  readonly #host: WorkerBoot["host"];
  readonly #limits: Pick<Guard, "setLimits">;
  /** Of all limits, those that were told until now. */
  #pages: LimitedAccount[] = [];
  readonly #changed: (changed: AccountsChanged) => void;

  /**
   * `limits` hear of what accounts have of their own. `changed` is called after accounts have changed:
   * sessions of what they were are to end.
   */
  constructor(
    { host, names }: Pick<WorkerBoot, "host" | "names">,
    limits: Pick<Guard, "setLimits">,
    changed: (changed: AccountsChanged) => void,
  ) {
    this.#host = host;
    this.#limits = limits;
    this.#changed = changed;
    this.ask = (question) =>
      host.ask(
        host.ref<AccountAsk>(accountsName),
        (replyTo): AccountAsk => ({ question, replyTo }),
        { deadlineMs: askDeadlineMs, parse: parseAccountReply },
      );
    this.authenticate = mqttAuthenticator(this.gate, this.ask, systemClock);
    names.publish(accountNewsName, this, parseAccountNews);
  }

  isCurrent({ account, accountVersion }: SessionInfo): boolean {
    return accountVersion === undefined ||
      this.gate.isCurrent({ name: account, version: accountVersion });
  }

  /** What accounts may do now; `undefined`: their database is away. Rejects when nobody answers. */
  async standings(names: readonly string[]): Promise<readonly AccountStanding[] | undefined> {
    const { standings } = await this.#host.ask(
      this.#host.ref<StandingsAsk>(standingsName),
      (replyTo): StandingsAsk => ({ names, replyTo }),
      { deadlineMs: standingsDeadlineMs, parse: parseStandingsReply },
    );
    return standings?.map(({ name, permissions }) => ({
      name,
      permit: permissions && permitOf(permissions),
    }));
  }

  tell({ keys, changed, limited, limitsPage, open }: AccountNews): TellResult {
    this.#learnLimits(limited, limitsPage);
    if (keys.length > 0) this.gate.setKeys(keys);
    this.gate.change(changed);
    if (open) this.gate.setOpen();
    if (changed.length > 0 || open) {
      this.#changed({ names: changed.map(({ name }) => name), all: open });
    }
    return "accepted";
  }

  /** Until the last page of all limits is there, those before hold. */
  #learnLimits(limited: readonly LimitedAccount[], page: LimitsPage | undefined): void {
    if (page === undefined) return this.#limits.setLimits(limited, false);
    if (page.first) this.#pages = [];
    this.#pages.push(...limited);
    if (page.last) this.#limits.setLimits(this.#pages.splice(0), true);
  }
}
