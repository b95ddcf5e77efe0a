/**
 * Accounts in a Worker: lets tokens in by itself, asks the main thread for the rest, and hears what
 * changes.
 *
 * @module
 */
import { mqttAuthenticator } from "../gateways/auth/mqtt_authenticator.ts";
import { TokenGate } from "../gateways/auth/token_gate.ts";
import type { Authenticate, SessionInfo } from "../gateways/mqtt/endpoint/endpoint_options.ts";
import type { ActorRef, TellResult } from "../runtime/actor.ts";
import { systemClock } from "../runtime/clock.ts";
import type { WorkerBoot } from "../runtime/worker_serve.ts";
import {
  type AccountAsk,
  type AccountNews,
  accountNewsName,
  accountsName,
  parseAccountNews,
  parseAccountReply,
} from "./account_messages.ts";

/** Longer than a full queue of passwords takes; a client's own patience is shorter. */
const askDeadlineMs = 30_000;

/** See the module. */
export class WorkerAccounts implements ActorRef<AccountNews> {
  readonly path = accountNewsName;
  readonly gate = new TokenGate();
  readonly authenticate: Authenticate;
  readonly #changed: () => void;

  /** `changed` is called after accounts have changed: sessions of what they were are to end. */
  constructor({ host, names }: Pick<WorkerBoot, "host" | "names">, changed: () => void) {
    this.#changed = changed;
    this.authenticate = mqttAuthenticator(
      this.gate,
      (question) =>
        host.ask(
          host.ref<AccountAsk>(accountsName),
          (replyTo): AccountAsk => ({ question, replyTo }),
          { deadlineMs: askDeadlineMs, parse: parseAccountReply },
        ),
      systemClock,
    );
    names.publish(accountNewsName, this, parseAccountNews);
  }

  isCurrent({ account, accountVersion }: SessionInfo): boolean {
    return accountVersion === undefined ||
      this.gate.isCurrent({ name: account, version: accountVersion });
  }

  tell({ keys, changed, open }: AccountNews): TellResult {
    if (keys.length > 0) this.gate.setKeys(keys);
    this.gate.change(changed);
    if (open) this.gate.setOpen();
    if (changed.length > 0) this.#changed();
    return "accepted";
  }
}
